"""Bulk bytes in pieces that fit a gRPC message."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from ketav_common.errors import InvalidInput, TooLarge
from ketav_common.limits import CHUNK_BYTES


def chunks(data: bytes, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Cut bytes into pieces of at most `size`."""
    view = memoryview(data)
    return (bytes(view[start : start + size]) for start in range(0, len(view), size))


@dataclass
class Counted:
    """Counts and hashes bytes while they arrive; refuses more than announced."""

    announced: int
    limit: int
    received: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        """Refuse an announced length outside 1..limit; raises InvalidInput or TooLarge."""
        if self.announced < 1:
            raise InvalidInput("no bytes were announced", code="empty-upload")
        if self.announced > self.limit:
            raise TooLarge(f"{self.announced} bytes were announced; {self.limit} are allowed")

    def add(self, chunk: bytes) -> bytes:
        """Count a chunk and return it; raises InvalidInput when more arrives than was announced."""
        self.received += len(chunk)
        if self.received > self.announced:
            raise InvalidInput("more bytes arrived than were announced", code="size-mismatch")
        self._hash.update(chunk)
        return chunk

    def finish(self) -> bytes:
        """Return the SHA-256, 32 bytes; raises InvalidInput when fewer bytes arrived than announced."""
        if self.received != self.announced:
            raise InvalidInput("fewer bytes arrived than were announced", code="size-mismatch")
        return self._hash.digest()


async def joined(stream: AsyncIterator[bytes], *, announced: int, limit: int) -> tuple[bytes, bytes]:
    """Collect a stream of known length; returns the bytes and their SHA-256. Raises as Counted does."""
    counted = Counted(announced, limit)
    parts = [counted.add(chunk) async for chunk in stream]
    return b"".join(parts), counted.finish()
