"""The trainer's own types: claimed runs, their ground truth, configurations, and the ends of an attempt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from ketav_trainer.gate import Verdict

State = Literal["QUEUED", "RUNNING", "EVALUATING", "FAILED", "CANCELLED"]
"""The states of a run that a worker reports or sets."""
INTERNAL_ERROR: Final = "The training failed because of an internal error. Start it again later."
"""Verdict of a run that failed for a reason that the user cannot change."""


class FitFailedError(Exception):
    """The training ended without a model; the text is the run's verdict."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version that can be fetched and checked."""

    version: str
    sha256: str
    """Hex digest of the safetensors file."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker has claimed."""

    run_id: str
    fence: int
    """Sent with every call for the run; the registry refuses an older one."""
    user_id: UUID
    parent: ModelRef
    """The model to fine-tune."""
    serving: ModelRef
    """The model that serves the hand, with which the candidate is compared."""
    base: ModelRef
    """The base model of the run's script."""
    lease_s: float
    """Seconds until the lease ends unless it is renewed."""
    own: ModelRef | None = None
    """The model of the user's own hand, where the hand is another one without a model of its own."""
    from_new_base: bool = False
    """Whether the run trains from the base because the hand's model descends from an older one."""
    traceparent: str = ""
    """The trace of the request that caused the run (W3C Trace Context); empty where there is none."""


@dataclass(frozen=True, slots=True)
class GroundTruthLine:
    """A line whose text is known."""

    baseline: tuple[tuple[int, int], ...]
    boundary: tuple[tuple[int, int], ...]
    text: str
    """In logical order."""
    holdout: bool
    """Whether the line measures the candidate, which is trained without it."""
    trained: bool = False
    """Whether the parent, or a model that it comes from, was trained on it and may know it by heart."""


@dataclass(frozen=True, slots=True)
class GroundTruthPage:
    """A page of the ground truth; its image is a file in the dataset's directory."""

    image: str
    """Name of the image file."""
    layout: Literal["page", "line"]
    lines: tuple[GroundTruthLine, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A run's frozen ground truth on disk."""

    directory: Path
    pages: tuple[GroundTruthPage, ...]
    sha256: str
    """Hex digest of all that was streamed: images' digests, lines' outlines and texts, the split."""

    def count(self, *, holdout: bool) -> int:
        """Return the number of held-out lines, or of training lines."""
        return sum(line.holdout == holdout for page in self.pages for line in page.lines)


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The configuration of a worker's trainings."""

    directory: Path
    """The runs' private directories are made in it."""
    engine: str
    seed: int
    epochs: int | None
    """Passes over the training lines; None for a number that suits them."""
    memory_bytes: int
    """Address space of a training process; 0 for no limit."""
    seconds: float
    """Seconds after which a training process is killed."""
    heartbeat_s: float
    """Seconds between two renewals of a lease."""
    worker: str
    """Name of this worker in the registry's log."""
    replay: Path | None = None
    """File of other writers' lines that are trained on too."""
    general: Path | None = None
    """File of the general set: the CER of a candidate on it may increase only slightly."""
    language: Path | None = None
    """File of the language model that serves, with which models are compared."""
    device: str = "cpu"
    """Where networks run: `cpu` or `cuda`."""

    @property
    def address_space_bytes(self) -> int:
        """Return the limit of the address space: none with CUDA, which reserves more than any machine has."""
        return self.memory_bytes if self.device == "cpu" else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run and the figures of its last epoch."""

    state: State = "RUNNING"
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    """Mean CTC loss of the last epoch in nats per character; None in a heartbeat."""
    cer_base: float | None = None
    cer_candidate: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model with the gate's verdict."""

    path: Path
    sha256: str
    """Hex digest of the file as it was measured."""
    verdict: Verdict
    training_lines: int
    card: str
    """The model card, a JSON object."""
    serving_version: str = ""
    """The version that it was compared with."""
    completed: bool = False
    """Whether it learnt the held-out lines after they had measured it."""
