"""Model versions, their states, and the names of their objects."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

_SUFFIX = ".safetensors"


class Script(StrEnum):
    """The type of writing of a page."""

    MODERN_CURSIVE = "modern_cursive"
    SQUARE = "square"
    SEPHARDI = "sephardi"
    ASHKENAZI = "ashkenazi"
    RASHI = "rashi"


class ModelKind(StrEnum):
    """Owner of a model: a base model belongs to no user."""

    BASE = "base"
    USER = "user"


class ModelState(StrEnum):
    """State of a version.

    ACTIVE: serves a user now; computed, never stored. AVAILABLE: can serve. RETIRED: the gate rejected it.
    TAINTED: trained on lines that were deleted. Retired and tainted versions never serve.
    """

    ACTIVE = "active"
    AVAILABLE = "available"
    RETIRED = "retired"
    TAINTED = "tainted"


@dataclass(frozen=True, slots=True)
class Model:
    """Reference to a model version: name, SHA-256 and length of its file.

    `alphabet` has the characters that the model can write; None when its file does not list them.
    """

    version: str
    kind: ModelKind
    sha256: bytes
    size_bytes: int
    alphabet: frozenset[str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version with its metadata; script None: a base for every script; CER is 0 to 1.

    Without a hand it is a base or belongs to the user's own hand. `base_version` is the base that a user's
    version descends from.
    """

    model: Model
    script: Script | None
    state: ModelState
    create_time: datetime
    user_id: UUID | None = None
    hand_id: UUID | None = None
    hand_name: str = ""
    parent_version: str | None = None
    base_version: str | None = None
    run_id: UUID | None = None
    cer_before: float | None = None
    cer_after: float | None = None
    training_lines: int = 0
    model_card: dict[str, Any] = field(default_factory=dict)


def with_active_state(version: ModelVersion, serving: set[str]) -> ModelVersion:
    """Return the version, in state ACTIVE if its name is among the serving ones."""
    return replace(version, state=ModelState.ACTIVE) if version.model.version in serving else version


def user_model_key(user_id: UUID, version: str) -> str:
    """Return the key of a user's model."""
    return f"models/{user_id}/{version}{_SUFFIX}"


def parse_user_model_key(key: str) -> tuple[UUID, str] | None:
    """Return the user and the version of a user's model; None for every other key."""
    folder, _, rest = key.partition("/")
    user, _, file = rest.partition("/")
    version = file.removesuffix(_SUFFIX)
    if folder != "models" or user == "base" or version == file:
        return None
    try:
        return UUID(user), version
    except ValueError:
        return None


def base_key(sha256: bytes) -> str:
    """Return the key of a base model, made from its digest: the registry stores a file once."""
    return f"models/base/{sha256.hex()}{_SUFFIX}"


def object_key(version: ModelVersion) -> str:
    """Return the key of a version's file."""
    model = version.model
    if version.user_id is None:
        return base_key(model.sha256)
    return user_model_key(version.user_id, model.version)
