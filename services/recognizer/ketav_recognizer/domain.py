"""The recognizer's own types: models, reading tasks, and the answers of reader processes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ketav_engine.budgets import PageBudgets
from ketav_engine.domain import Layout, ReadPage


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version that can be fetched and checked."""

    version: str
    """Name of the version, sent back with the transcription."""
    sha256: str
    """Hex digest of the safetensors file."""
    size_bytes: int
    """Length of the safetensors file."""
    grant: str = field(default="", repr=False)
    """Signed authorization to read a user's pages with the model."""


@dataclass(frozen=True, slots=True)
class ReadingRequest:
    """The header of a RecognizePage call."""

    model: ModelRef
    layout: Layout
    size_bytes: int
    """Length of the image that follows."""
    detect_turn: bool = False
    """Read the image in the direction in which it reads best."""
    batch: bool = False
    """Read it for a job: pages that users wait for are read first."""


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """One image for a reader process."""

    image: bytes
    layout: Layout
    model_path: str
    model_sha256: str
    detect_turn: bool = False
    batch: bool = False
    user: str = ""
    """Whose request it is: users take turns."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for reading nothing: the image, the model's content, its cached file, or a defect."""

    kind: Literal["image", "model", "cache", "defect"]
    message: str


Answer = ReadPage | Refusal
"""The result of a reading task."""


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """The configuration of a reader process."""

    engine: str
    models: int
    """Loaded models that it keeps."""
    memory_bytes: int
    """Address space that it may take; 0 for no limit."""
    language: Path | None = None
    """File of the language model for beam search; None decodes the best path."""
    device: str = "cpu"
    """Where networks run: `cpu` or `cuda`."""
    budgets: PageBudgets = field(default_factory=PageBudgets)
    """Lines and processor time of an image."""

    @property
    def address_space_bytes(self) -> int:
        """Return the limit of the address space: none with CUDA, which reserves more than any machine has."""
        return self.memory_bytes if self.device == "cpu" else 0
