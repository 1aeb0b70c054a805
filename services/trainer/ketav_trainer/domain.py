"""What the trainer speaks of: a claimed run, its ground truth, and how an attempt can end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from ketav_trainer.gate import Verdict

State = Literal["QUEUED", "RUNNING", "EVALUATING", "FAILED", "CANCELLED"]
"""The states of a run that a worker reports or sets."""


class LeaseLostError(Exception):
    """Somebody else may have the run now: nothing may be changed any more."""


class CancelledByUserError(Exception):
    """The user asked for the run's end."""


class WorkerStoppingError(Exception):
    """The worker is stopping: the run is to be given back."""


class FitFailedError(Exception):
    """The training ended without a model; the text is for the user."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version that can be fetched and checked."""

    version: str
    sha256: str
    """Hex digest of the safetensors file."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this worker holds."""

    run_id: str
    fence: int
    """Carried by every call for the run."""
    user_id: UUID
    parent: ModelRef
    """The model to fine-tune and to beat."""
    base: ModelRef
    """The base model of the run's script."""
    lease_s: float
    """Seconds until the lease ends unless it is renewed."""


@dataclass(frozen=True, slots=True)
class TruthLine:
    """A line whose text is known."""

    baseline: tuple[tuple[int, int], ...]
    boundary: tuple[tuple[int, int], ...]
    text: str
    """In logical order."""
    holdout: bool
    """Whether it measures instead of training."""


@dataclass(frozen=True, slots=True)
class TruthPage:
    """A page of the ground truth; its image lies in the dataset's directory."""

    image: str
    """Name of the image file."""
    layout: Literal["page", "line"]
    lines: tuple[TruthLine, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A run's frozen ground truth on disk."""

    directory: Path
    pages: tuple[TruthPage, ...]
    sha256: str
    """Hex digest of everything that was streamed: digests of images, places and texts of lines, the split."""

    def count(self, *, holdout: bool) -> int:
        """Return how many lines are held out, or how many train."""
        return sum(line.holdout == holdout for page in self.pages for line in page.lines)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands."""

    state: State = "RUNNING"
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    """CTC loss of the last epoch; None in a mere heartbeat."""
    cer_base: float | None = None
    cer_candidate: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trained model and what the gate says of it."""

    path: Path
    sha256: str
    """Hex digest of the file as it was measured."""
    verdict: Verdict
    training_lines: int
    card: str
    """The model card, a JSON object."""
