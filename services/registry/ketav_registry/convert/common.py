"""Ids, enumerations, limits, cursors and upload streams."""

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav_common.context import current_user
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IDEMPOTENCY_KEY_CHARACTERS
from ketav_registry.domain.models import Model, ModelKind, Script
from ketav_registry.domain.pages import Layout
from ketav_registry.domain.projects_hands import HandFilter
from ketav_registry.domain.requests import ListPosition, RequestKey

_Member = TypeVar("_Member", bound=StrEnum)

_SHA256_BYTES = 32
_LIST_DIGEST_CHARACTERS = 8
SCRIPTS = {script: page_pb2.Script.Value(f"SCRIPT_{script.name}") for script in Script}
LAYOUTS = {layout: page_pb2.Layout.Value(f"LAYOUT_{layout.name}") for layout in Layout}
_KINDS = {kind: page_pb2.ModelKind.Value(f"MODEL_KIND_{kind.name}") for kind in ModelKind}


def uuid(value: str, field: str) -> UUID:
    """Return a UUID in its canonical form. InvalidInput invalid-id: the field has another text."""
    try:
        parsed = UUID(value)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != value.lower():
        raise InvalidInput(
            f"The field {field} is not a UUID in its canonical form. Send the id as the API returned it.",
            code="invalid-id",
            details={"pointer": f"/{field}"},
        )
    return parsed


def choice(values: dict[_Member, Any], number: int, default: _Member) -> _Member:
    """Return the member with a number of the enumeration; 0 is the default. InvalidInput invalid-choice."""
    if number == 0:
        return default
    for member, value in values.items():
        if value == number:
            return member
    field = type(default).__name__.lower()
    raise InvalidInput(
        f"The field {field} has the unknown value {number}. Send a value of this version of the API.",
        code="invalid-choice",
        details={"pointer": f"/{field}"},
    )


def script(number: int) -> Script:
    """Return a script; an unspecified one is modern cursive."""
    return choice(SCRIPTS, number, Script.MODERN_CURSIVE)


def hand_filter(script_number: int, name: str | None) -> HandFilter:
    """Return which hands a request is about; unspecified and None: all."""
    return HandFilter(script(script_number) if script_number else None, name)


def digest(value: bytes) -> bytes:
    """Return a SHA-256. InvalidInput invalid-digest: it does not have 32 bytes."""
    if len(value) != _SHA256_BYTES:
        raise InvalidInput(
            f"The SHA-256 has {len(value)} bytes. Send {_SHA256_BYTES} bytes, not their hexadecimal form.",
            code="invalid-digest",
        )
    return value


def request_key(request_id: str, request_sha256: bytes = b"") -> RequestKey:
    """Return an Idempotency-Key with the digest of its request. InvalidInput invalid-idempotency-key."""
    if len(request_id) > MAX_IDEMPOTENCY_KEY_CHARACTERS or "\0" in request_id:
        raise InvalidInput(
            f"The Idempotency-Key has {len(request_id):,} characters or contains a NUL. "
            f"Send at most {MAX_IDEMPOTENCY_KEY_CHARACTERS} characters, for example a UUID.",
            code="invalid-idempotency-key",
        )
    return RequestKey(request_id, bytes(request_sha256))


def limit(value: int, *, default: int, maximum: int) -> int:
    """Return the maximum number of items of a list; 0 is the default. InvalidInput invalid-limit."""
    if value == 0:
        return default
    if not 1 <= value <= maximum:
        raise InvalidInput(f"The limit is {value}. Send a limit of 1 to {maximum}.", code="invalid-limit")
    return value


def cursor(position: ListPosition[Any] | None, listed: str) -> str:
    """Return the opaque cursor of a position in a list of the caller; empty when the list ends."""
    if position is None:
        return ""
    text = f"{position.time.isoformat()} {position.key} {_list_digest(listed)}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def position(value: str, listed: str) -> ListPosition[str] | None:
    """Return the position of a cursor; None for an empty one.

    InvalidInput invalid-cursor: it is malformed, or of another list or another user.
    """
    if not value:
        return None
    try:
        time, key, digest = base64.b64decode(value, altchars=b"-_", validate=True).decode().split(" ")
        after = ListPosition(datetime.fromisoformat(time).astimezone(), key.replace("\0", ""))
    except (binascii.Error, ValueError, OverflowError) as error:
        raise invalid_cursor() from error
    if digest != _list_digest(listed):
        raise invalid_cursor()
    return after


def _list_digest(listed: str) -> str:
    """Return a short digest of a list and the caller: it detects a cursor of another list by mistake.

    It is no secret; row-level security decides what the caller sees.
    """
    return hashlib.sha256(f"{current_user()} {listed}".encode()).hexdigest()[:_LIST_DIGEST_CHARACTERS]


def invalid_cursor() -> InvalidInput:
    """Return the error for a text that is no cursor of the list."""
    return InvalidInput(
        "The cursor is malformed. Send a cursor of this list, or none to start at the beginning.",
        code="invalid-cursor",
        details={"pointer": "cursor"},
    )


def id_position(value: str, listed: str) -> ListPosition[UUID] | None:
    """Return the position of a cursor whose key is a UUID, or None. InvalidInput invalid-cursor."""
    parsed = position(value, listed)
    if parsed is None:
        return None
    try:
        return ListPosition(parsed.time, UUID(parsed.key))
    except ValueError as error:
        raise invalid_cursor() from error


def timestamp(time: datetime) -> Timestamp:
    """Return the message of a time."""
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def model(domain_model: Model, grant: str = "") -> page_pb2.Model:
    """Return the message of a model, with a grant if the caller may read with it."""
    return page_pb2.Model(
        version=domain_model.version,
        kind=_KINDS[domain_model.kind],
        sha256=domain_model.sha256,
        size_bytes=domain_model.size_bytes,
        grant=grant,
    )


async def upload(stream: AsyncIterator[Any]) -> tuple[Any, AsyncIterator[bytes]]:
    """Return the header of an upload, from its first message, and the chunks of the other messages."""
    return await _header(stream), _chunks(stream)


async def _header(stream: AsyncIterator[Any]) -> Any:  # noqa: ANN401 - the header of any upload
    """Return the header, which the first message contains."""
    async for first in stream:
        if first.WhichOneof("part") == "header":
            return first.header
        break
    raise InvalidInput(
        "The first message of the upload has no header. Send the header first, then the chunks.",
        code="header-missing",
    )


async def _chunks(stream: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """Yield the chunks of the messages after the header."""
    async for part in stream:
        if part.WhichOneof("part") != "chunk":
            raise InvalidInput(
                "A message after the header has no chunk. Send the header once, then only chunks.",
                code="header-repeated",
            )
        yield part.chunk
