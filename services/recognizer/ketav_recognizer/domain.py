"""What the recognizer speaks of beside the engine's pages: models asked for, tasks, refusals."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ketav_engine.domain import Layout, ReadPage


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version that can be fetched and checked."""

    version: str
    """Name of the version, sent back with the reading."""
    sha256: str
    """Hex digest of the safetensors file."""
    size_bytes: int
    """Length of the safetensors file."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the header of a call asks for."""

    model: ModelRef
    layout: Layout
    size_bytes: int
    """Length of the image that follows."""
    grant: str = ""
    """The registry's word that the caller may read with the model."""


@dataclass(frozen=True, slots=True)
class Task:
    """One image for a reader process."""

    image: bytes
    layout: Layout
    model_path: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reader did not read: the image, the model's content, its cached file, or a defect of its own."""

    kind: Literal["image", "model", "cache", "defect"]
    message: str


Answer = ReadPage | Refusal
"""What a reader process sends back."""


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """How a reader process is to be set up."""

    engine: str
    models: int
    """Loaded models it keeps."""
    memory_bytes: int
    """Address space it may take; 0 for no limit."""
    language: Path | None = None
    """File of the language model that texts are decoded with; None for none."""
