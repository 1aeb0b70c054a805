"""Cuts bytes into chunks that fit a gRPC message, and joins and checks them again."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from ketav_common.errors import InvalidInput, TooLarge
from ketav_common.limits import CHUNK_BYTES


def chunks(data: bytes, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Cut bytes into chunks of at most `size` bytes."""
    view = memoryview(data)
    return (bytes(view[start : start + size]) for start in range(0, len(view), size))


@dataclass
class Counted:
    """Counts and hashes bytes while they arrive, and refuses more than were announced."""

    announced: int
    limit: int
    received: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        """Refuse an announced length outside 1..limit; raises InvalidInput or TooLarge."""
        if self.announced < 1:
            raise InvalidInput(
                "The upload's header announces no bytes. Send a file that is not empty.", code="empty-upload"
            )
        if self.announced > self.limit:
            raise TooLarge(
                f"The upload has {self.announced:,} bytes; at most {self.limit:,} are accepted. "
                "Send a smaller file."
            )

    def add(self, chunk: bytes) -> bytes:
        """Count a chunk and return it; raises InvalidInput when more arrives than was announced."""
        self.received += len(chunk)
        if self.received > self.announced:
            raise InvalidInput(
                f"More than the {self.announced:,} announced bytes arrived. Announce the file's length.",
                code="size-mismatch",
            )
        self._hash.update(chunk)
        return chunk

    def finish(self) -> bytes:
        """Return the SHA-256, 32 bytes; raises InvalidInput when fewer bytes arrived than announced."""
        if self.received != self.announced:
            raise InvalidInput(
                f"{self.received:,} of {self.announced:,} announced bytes arrived. Send the upload again.",
                code="size-mismatch",
            )
        return self._hash.digest()


async def joined(stream: AsyncIterator[bytes], *, announced: int, limit: int) -> tuple[bytes, bytes]:
    """Collect a stream of known length; returns the bytes and their SHA-256. Raises as Counted does."""
    counted = Counted(announced, limit)
    parts = [counted.add(chunk) async for chunk in stream]
    return b"".join(parts), counted.finish()
