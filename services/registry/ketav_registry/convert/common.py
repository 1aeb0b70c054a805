"""Ids, enumerations, cursors, limits and streams."""

import base64
import binascii
from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IDEMPOTENCY_KEY_CHARACTERS
from ketav_registry.domain.models import Model, ModelKind, Script
from ketav_registry.domain.pages import Layout
from ketav_registry.domain.requests import Request

_Choice = TypeVar("_Choice", bound=StrEnum)

_SHA256_BYTES = 32
SCRIPTS = {script: page_pb2.Script.Value(f"SCRIPT_{script.name}") for script in Script}
LAYOUTS = {layout: page_pb2.Layout.Value(f"LAYOUT_{layout.name}") for layout in Layout}
_KINDS = {kind: page_pb2.ModelKind.Value(f"MODEL_KIND_{kind.name}") for kind in ModelKind}


def uuid(value: str, what: str = "id") -> UUID:
    """Read a UUID in its canonical form (InvalidInput: anything else)."""
    try:
        parsed = UUID(value)
    except ValueError as error:
        raise InvalidInput(f"the {what} is not a UUID", code="invalid-id") from error
    if str(parsed) != value.lower():
        raise InvalidInput(f"the {what} is not a UUID in canonical form", code="invalid-id")
    return parsed


def choice(values: dict[_Choice, Any], number: int, default: _Choice) -> _Choice:
    """Read an enumeration; what was not said takes the default (InvalidInput: an unknown number)."""
    if number == 0:
        return default
    for member, value in values.items():
        if value == number:
            return member
    raise InvalidInput(f"{number} is no {type(default).__name__.lower()}", code="invalid-choice")


def script(number: int) -> Script:
    """Read a script; what was not said is modern cursive."""
    return choice(SCRIPTS, number, Script.MODERN_CURSIVE)


def digest(value: bytes) -> bytes:
    """Read a SHA-256 (InvalidInput: not 32 bytes)."""
    if len(value) != _SHA256_BYTES:
        raise InvalidInput("a SHA-256 has 32 bytes", code="invalid-digest")
    return value


def request(request_id: str, request_sha256: bytes = b"") -> Request:
    """Read an Idempotency-Key of at most 255 code points with the digest of what was sent."""
    if len(request_id) > MAX_IDEMPOTENCY_KEY_CHARACTERS or "\0" in request_id:
        raise InvalidInput("the Idempotency-Key is too long or holds a NUL", code="invalid-idempotency-key")
    return Request(request_id, bytes(request_sha256))


def limit(value: int, default: int, most: int) -> int:
    """Read how many items a list may have; 0 takes the default (InvalidInput: out of 1 to `most`)."""
    if value == 0:
        return default
    if not 1 <= value <= most:
        raise InvalidInput(f"a limit is 1 to {most}", code="invalid-limit")
    return value


def cursor(after: tuple[datetime, UUID | str] | None) -> str:
    """Write where a list goes on as an opaque word; empty when it does not."""
    if after is None:
        return ""
    return base64.urlsafe_b64encode(f"{after[0].isoformat()} {after[1]}".encode()).decode()


def after(value: str) -> tuple[datetime, str] | None:
    """Read a cursor that `cursor` wrote (InvalidInput: anything else)."""
    if not value:
        return None
    try:
        time, key = base64.b64decode(value, altchars=b"-_", validate=True).decode().split(" ")
        return datetime.fromisoformat(time).astimezone(), key.replace("\0", "")
    except (binascii.Error, ValueError, OverflowError) as error:
        raise InvalidInput("the cursor was not given out here", code="invalid-cursor") from error


def after_id(value: str) -> tuple[datetime, UUID] | None:
    """Read a cursor whose key is a UUID."""
    found = after(value)
    return None if found is None else (found[0], uuid(found[1], "cursor"))


def timestamp(when: datetime) -> Timestamp:
    """Write a time."""
    stamp = Timestamp()
    stamp.FromDatetime(when)
    return stamp


def model(found: Model, grant: str = "") -> page_pb2.Model:
    """Write what names a model, with the grant to read with it where there is one."""
    return page_pb2.Model(
        version=found.version,
        kind=_KINDS[found.kind],
        sha256=found.sha256,
        size_bytes=found.size_bytes,
        grant=grant,
    )


async def upload(stream: AsyncIterator[Any]) -> tuple[Any, AsyncIterator[bytes]]:
    """Take the header off an upload (InvalidInput: another order); what remains are its chunks."""
    return await _header(stream), _chunks(stream)


async def _header(stream: AsyncIterator[Any]) -> Any:  # noqa: ANN401 - the header of any upload
    """Return the header, which comes first."""
    async for first in stream:
        if first.WhichOneof("part") == "header":
            return first.header
        break
    raise InvalidInput("an upload begins with its header", code="header-missing")


async def _chunks(stream: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """Yield the chunks of an upload whose header was taken off."""
    async for part in stream:
        if part.WhichOneof("part") != "chunk":
            raise InvalidInput("an upload has one header, then chunks", code="header-repeated")
        yield part.chunk
