"""Identity of a client's request, and the position at which a list continues."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

Key = TypeVar("Key", UUID, str)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A client's Idempotency-Key and the SHA-256 of its request; an empty key identifies no request."""

    request_id: str = ""
    sha256: bytes = b""


class ListPosition(NamedTuple, Generic[Key]):
    """Time and key of the last row of a response: the next response continues behind it."""

    time: datetime
    key: Key
