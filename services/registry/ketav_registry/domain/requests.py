"""A client's request, and where a list continues."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Request:
    """A client's Idempotency-Key with the SHA-256 of what it sent; an empty key repeats nothing."""

    request_id: str = ""
    sha256: bytes = b""


# Where a list goes on: the time and key of the last row of the previous answer.
After = tuple[datetime, UUID]
