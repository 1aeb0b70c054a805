"""Model versions and who is served which."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ketav_common.limits import MAX_MODEL_HEADER_BYTES

_LENGTH_BYTES = 8
# A model file's header and the length before it lie within so many bytes.
HEAD_BYTES = _LENGTH_BYTES + MAX_MODEL_HEADER_BYTES
_MAX_CARD_DEPTH = 8
# What a model card may not tell a user: where the model lies, what its bytes are, whose it is.
_PRIVATE_NAME = re.compile(
    r"(?:^|[^a-z0-9])(?:sha(?:256)?|digest|keys?|secret|token|user|ur[li]|object|blob|bytes|paths?|files?|folder|"
    r"directory|checkpoint)(?:$|[^a-z0-9])"
)
_PRIVATE_TEXT = re.compile(r"[0-9a-fA-F]{32,}|\.safetensors|^/|^[A-Za-z]:\\|://|models/")
_SUFFIX = ".safetensors"


class Script(StrEnum):
    """The hand a page is written in."""

    MODERN_CURSIVE = "modern_cursive"
    SQUARE = "square"
    SEPHARDI = "sephardi"
    ASHKENAZI = "ashkenazi"
    RASHI = "rashi"


class ModelKind(StrEnum):
    """Whom a model belongs to."""

    BASE = "base"
    USER = "user"


class ModelState(StrEnum):
    """What has become of a version; ACTIVE is not stored, it follows from who is served."""

    ACTIVE = "active"
    AVAILABLE = "available"
    RETIRED = "retired"
    TAINTED = "tainted"


@dataclass(frozen=True, slots=True)
class Model:
    """A model version, named so that it can be fetched and checked; what it can write, where known."""

    version: str
    kind: ModelKind
    sha256: bytes
    size_bytes: int
    alphabet: frozenset[str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version and its record; script None serves every script, CER is 0 to 1."""

    model: Model
    script: Script | None
    state: ModelState
    create_time: datetime
    user_id: UUID | None = None
    parent_version: str | None = None
    run_id: UUID | None = None
    cer_before: float | None = None
    cer_after: float | None = None
    training_lines: int = 0
    model_card: dict[str, Any] = field(default_factory=dict)


def as_served(version: ModelVersion, serving: set[str]) -> ModelVersion:
    """Return a version whose state is ACTIVE when it is among those that serve."""
    return replace(version, state=ModelState.ACTIVE) if version.model.version in serving else version


def user_model_key(user_id: UUID, version: str) -> str:
    """Name the object of a user's model."""
    return f"models/{user_id}/{version}{_SUFFIX}"


def owner_of_key(key: str) -> tuple[UUID, str] | None:
    """Return the user and the version of a user's model's object; None: it is not the name of one."""
    kind, _, rest = key.partition("/")
    user, _, file = rest.partition("/")
    version = file.removesuffix(_SUFFIX)
    if kind != "models" or user == "base" or version == file:
        return None
    try:
        return UUID(user), version
    except ValueError:
        return None


def base_key(sha256: bytes) -> str:
    """Name the object of a base model by its digest: the same file is stored once."""
    return f"models/base/{sha256.hex()}{_SUFFIX}"


def object_key(version: ModelVersion) -> str:
    """Name the object of a version."""
    model = version.model
    return (
        base_key(model.sha256) if version.user_id is None else user_model_key(version.user_id, model.version)
    )


def is_safetensors(head: bytes, size_bytes: int) -> bool:
    """Tell whether a file of this length begins like safetensors whose tensors fill it exactly.

    The format is 8 bytes of little-endian header length, a JSON header, then the tensors' bytes
    (https://github.com/huggingface/safetensors, "Format"). `head` must hold the whole header.
    """
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if len(head) < _LENGTH_BYTES or length > MAX_MODEL_HEADER_BYTES or _LENGTH_BYTES + length > len(head):
        return False
    try:
        header = json.loads(head[_LENGTH_BYTES : _LENGTH_BYTES + length])
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return _LENGTH_BYTES + length + max(ends, default=0) == size_bytes
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return False


def alphabet_of(head: bytes) -> str | None:
    """Return the characters a Kraken safetensors file says its network can write; None when it does not say.

    Kraken keeps the codec, a mapping from characters to labels, in the header's `kraken_meta`, a JSON object
    with one entry a network. `head` must hold the whole header.
    """
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(head[_LENGTH_BYTES : _LENGTH_BYTES + length])
        [network] = json.loads(header["__metadata__"]["kraken_meta"]).values()
        characters = set("".join(network["codec"].keys()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return "".join(sorted(characters - {"\0"})) or None


def public_card(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a user may read of a model card: nothing that names a file, a key, an address or a digest.

    A member is left out by its name or by its text, at any depth; nesting past 8 is cut off.
    """
    shown = _public(card, 0)
    return shown if isinstance(shown, dict) else {}


def _public(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value of a card without what is private; None in its place."""
    if depth > _MAX_CARD_DEPTH or (isinstance(value, str) and _PRIVATE_TEXT.search(value)):
        return None
    if isinstance(value, Mapping):
        kept = {name: value[name] for name in value if not _PRIVATE_NAME.search(name.lower())}
        return {name: _public(member, depth + 1) for name, member in kept.items()}
    if isinstance(value, list):
        return [_public(member, depth + 1) for member in value]
    return value
