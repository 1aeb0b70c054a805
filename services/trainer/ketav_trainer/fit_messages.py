"""The messages between a worker and its training process.

The process is set up with an `EngineConfig`; it may wait then. The worker sends one `FitConfig`, and the
process reports events: JSON objects whose `event` is `epoch`, `stage`, `evaluating`, `done` or `failed`.
Models and images are files in the run's private directory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from ketav_trainer.domain import GroundTruthPage

BASE: Final = "base.safetensors"
"""File of the base model, unless the model to fine-tune is the base model."""
PARENT: Final = "parent.safetensors"
"""File of the model to fine-tune."""
SERVING: Final = "serving.safetensors"
"""File of the model that serves, unless that is the one to fine-tune."""
OWN: Final = "own.safetensors"
"""File of the model of the user's own hand, where it may serve another hand."""
CANDIDATE: Final = "candidate.safetensors"
"""File of the model that the training made."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The engine that a training process loads before it knows which run it trains."""

    engine: str
    language: Path | None = None
    """File of the language model that serves."""
    device: str = "cpu"
    """Where networks run: `cpu` or `cuda`."""


@dataclass(frozen=True, slots=True)
class FitConfig:
    """The configuration of one training."""

    directory: Path
    """The run's private directory: the parent model and the pages' images are in it."""
    seed: int
    epochs: int | None
    """Passes over the training lines; None for a number that suits them."""
    checkpoint: Path
    """File that is written after each epoch, from which a later attempt goes on."""
    parent_sha256: str
    """Hex digest of the parent model's file."""
    pages: tuple[GroundTruthPage, ...]
    base_sha256: str | None = None
    """Hex digest of the base model's file, which limits the forgetting; None if the parent is the base."""
    serving_sha256: str | None = None
    """Hex digest of the file of the serving model, which is compared with; None if it is the parent."""
    own_sha256: str | None = None
    """Hex digest of the file of the user's own hand; None where it does not take part."""
    replay: Path | None = None
    """File of other writers' lines that are trained on too."""
    general: Path | None = None
    """File of other writers' lines on which the candidate is compared with the parent."""


_CONFIG: Final = TypeAdapter(FitConfig)
_ENGINE: Final = TypeAdapter(EngineConfig)


def from_engine_config(config: EngineConfig) -> dict[str, Any]:
    """Encode the engine of a process as a JSON object."""
    content: dict[str, Any] = _ENGINE.dump_python(config, mode="json")
    return content


def to_engine_config(content: dict[str, Any]) -> EngineConfig:
    """Decode the engine of a process."""
    return _ENGINE.validate_python(content)


def from_config(config: FitConfig) -> dict[str, Any]:
    """Encode a configuration as a JSON object."""
    content: dict[str, Any] = _CONFIG.dump_python(config, mode="json")
    return content


def to_config(content: dict[str, Any]) -> FitConfig:
    """Decode a configuration."""
    return _CONFIG.validate_python(content)
