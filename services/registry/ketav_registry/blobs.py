"""Object store: objects are hashed while they are stored and verified while they are read.

`BlobStore` is a port with two implementations, `blobs_directory` and `blobs_s3`. Both pass one contract
suite, `tests/contract/test_blob_store.py`.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from ketav_common.chunks import Counted
from ketav_common.errors import DataLoss, InvalidInput, Unavailable
from ketav_common.limits import MAX_MODEL_HEADER_BYTES
from ketav_common.logging import get_logger

log = get_logger()

_Result = TypeVar("_Result")

_HEAD_BYTES = 8 + MAX_MODEL_HEADER_BYTES
"""Bytes at the start of an object that `accept` receives: the longest safetensors header with its length."""
RETRY_AFTER_S = 2
"""Seconds after which a caller retries when the store is unavailable."""
STORE_UNAVAILABLE = "The object store is unavailable. Try again later."
_DAMAGED_ON_ITS_WAY = "A stored object was damaged on its way from the object store. Try again later."

STORE_MISSING = (
    "The bucket or folder of KETAV_BLOB_URL does not exist. Create it, restore it, or correct the variable."
)

Chunks = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored object: key, SHA-256, length in bytes."""

    key: str
    sha256: bytes
    size_bytes: int


class BlobStore(Protocol):
    """Stores whole objects under keys; an object is complete or absent."""

    @property
    def spool(self) -> Path:
        """Folder for objects that are being received."""

    async def publish(self, file: Path, key: str) -> None:
        """Store a complete file as the object of a key, durably and atomically; the file may be moved."""

    def chunks(self, key: str) -> Chunks:
        """Yield an object in chunks of at most 1 MiB. DataLoss: no such object; Unavailable: no answer."""

    async def remove(self, key: str) -> None:
        """Remove an object durably; a missing object is no error."""

    async def listing(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Return keys with a prefix (`name/`) and the times at which their objects were stored.

        At most `limit` keys behind the key `after`, in the store's order.
        """

    async def problem(self) -> str:
        """Return a sentence for the operator when the store cannot be used, `STORE_MISSING` among others.

        Empty when it can. The sentence names neither address nor keys.
        """

    async def create(self) -> None:
        """Create the bucket or the folder, unless it exists. Unavailable: no answer."""


async def store(
    blobs: BlobStore,
    chunks: Chunks,
    key_of: Callable[[bytes], str],
    *,
    max_bytes: int,
    size_bytes: int,
    accept: Callable[[bytes, int], bool] | None = None,
) -> Blob:
    """Store a stream as the object whose key `key_of` makes from its SHA-256.

    The stream must have exactly `size_bytes` (InvalidInput) and at most `max_bytes` (TooLarge). `accept`
    receives the first bytes and the length, and rejects the content by returning False (InvalidInput
    invalid-file).
    """
    counted = Counted(size_bytes, max_bytes)
    descriptor, name = await run_on_disk(partial(tempfile.mkstemp, dir=blobs.spool, prefix="in-"))
    file = Path(name)
    try:
        head = await _receive(chunks, descriptor, counted)
        digest = counted.finish()
        if accept is not None and not accept(head, size_bytes):
            raise InvalidInput(
                "The file is not a complete safetensors file. Use a file that Kraken wrote.",
                code="invalid-file",
            )
        key = key_of(digest)
        await blobs.publish(file, key)
    finally:
        await run_on_disk(partial(file.unlink, missing_ok=True))
    return Blob(key, digest, size_bytes)


async def _receive(chunks: Chunks, descriptor: int, counted: Counted) -> bytes:
    """Write a stream to a file, flush the file to the disk, and return its first `_HEAD_BYTES` bytes."""
    head = bytearray()
    with os.fdopen(descriptor, "wb") as output:
        async for chunk in chunks:
            head += counted.add(chunk)[: _HEAD_BYTES - len(head)]
            await run_on_disk(partial(output.write, chunk))
        await run_on_disk(partial(_flush, output))
    return bytes(head)


async def read(blobs: BlobStore, key: str, *, sha256: bytes, size_bytes: int) -> AsyncGenerator[bytes, None]:
    """Yield an object in chunks; the last one only after the SHA-256 of the whole is verified.

    DataLoss: the stored object has another one. Unavailable: only the bytes that arrived have.
    """
    hasher, size, pending = hashlib.sha256(), 0, b""
    async for chunk in blobs.chunks(key):
        size += len(chunk)
        if size > size_bytes:
            break
        hasher.update(chunk)
        if pending:
            yield pending
        pending = chunk
    if size != size_bytes or hasher.digest() != sha256:
        if await _is_intact(blobs, key, sha256):
            log.warning("download_damaged")
            raise Unavailable(_DAMAGED_ON_ITS_WAY, retry_after=RETRY_AFTER_S)
        raise DataLoss(
            "A stored object does not match its digest. Ask the operator to restore it from a backup."
        )
    yield pending


async def _is_intact(blobs: BlobStore, key: str, sha256: bytes) -> bool:
    """Read an object once more and return whether it has this SHA-256."""
    hasher = hashlib.sha256()
    async for chunk in blobs.chunks(key):
        hasher.update(chunk)
    return hasher.digest() == sha256


async def run_on_disk(call: Callable[[], _Result]) -> _Result:
    """Run a blocking call on a local file in a thread; an error is logged and becomes Unavailable."""
    try:
        return await asyncio.to_thread(call)
    except OSError as error:
        log.warning("disk_failed", reason=os.strerror(error.errno) if error.errno else type(error).__name__)
        raise Unavailable(STORE_UNAVAILABLE, retry_after=RETRY_AFTER_S) from error


def _flush(output: BinaryIO) -> None:
    """Flush a file to the disk."""
    output.flush()
    os.fsync(output.fileno())
