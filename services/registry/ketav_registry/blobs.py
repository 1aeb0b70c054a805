"""The object store: content is hashed while it streams in and checked on every read.

`BlobStore` is a port with two implementations, a directory and S3; both pass one contract suite.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ketav_common.chunks import Counted
from ketav_common.errors import DataLoss, InvalidInput, Unavailable
from ketav_common.limits import CHUNK_BYTES, MAX_MODEL_HEADER_BYTES
from ketav_registry.s3 import s3_store

# What `accept` sees of a file: a safetensors header at its limit and the length before it.
_HEAD_BYTES = 8 + MAX_MODEL_HEADER_BYTES
_RETRY_S = 2

Chunks = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Blob:
    """What was stored: key, SHA-256, length in bytes."""

    key: str
    sha256: bytes
    size_bytes: int


class BlobStore(Protocol):
    """Keeps whole objects under keys; an object is there completely or not at all."""

    @property
    def spool(self) -> Path:
        """Folder for objects on their way in."""

    async def publish(self, file: Path, key: str) -> None:
        """Make a complete file the object of a key, durably and atomically; the file is used up."""

    def chunks(self, key: str) -> Chunks:
        """Read an object in chunks of at most 1 MiB. DataLoss: it is gone; Unavailable: the store is away."""

    async def remove(self, key: str) -> None:
        """Remove an object durably; that it is gone already is no error."""

    async def listing(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Return at most `limit` objects below a prefix (`name/`) with the times they were stored.

        They come in the store's order, from behind the key `after` on.
        """

    async def check(self) -> None:
        """Raise Unavailable when the store does not answer."""


async def store(
    blobs: BlobStore,
    chunks: Chunks,
    key_of: Callable[[bytes], str],
    *,
    max_bytes: int,
    size_bytes: int,
    accept: Callable[[bytes, int], bool] | None = None,
) -> Blob:
    """Store a stream as the object that `key_of` names by its SHA-256.

    The stream must have exactly `size_bytes` (InvalidInput), and those at most `max_bytes` (TooLarge).
    `accept` sees the first 4 MiB and the length, and refuses the content by returning False (InvalidInput).
    """
    counted = Counted(size_bytes, max_bytes)
    descriptor, name = await _run(partial(tempfile.mkstemp, dir=blobs.spool, prefix="in-"))
    file = Path(name)
    try:
        head = await _receive(chunks, descriptor, counted)
        digest = counted.finish()
        if accept is not None and not accept(head, size_bytes):
            raise InvalidInput("the file is not what it should be", code="invalid-file")
        key = key_of(digest)
        await blobs.publish(file, key)
    finally:
        await _run(partial(file.unlink, missing_ok=True))
    return Blob(key, digest, size_bytes)


async def _receive(chunks: Chunks, descriptor: int, counted: Counted) -> bytes:
    """Write a stream to a file, counted, and flush it to the disk; return its first `_HEAD_BYTES` bytes."""
    head = bytearray()
    with os.fdopen(descriptor, "wb") as output:
        async for chunk in chunks:
            head += counted.add(chunk)[: _HEAD_BYTES - len(head)]
            await _run(partial(output.write, chunk))
        await _run(partial(_flush, output))
    return bytes(head)


async def read(blobs: BlobStore, key: str, *, sha256: bytes, size_bytes: int) -> AsyncGenerator[bytes, None]:
    """Read an object; its last chunk is given only after the SHA-256 of the whole was checked (DataLoss)."""
    hasher, size, withheld = hashlib.sha256(), 0, b""
    async for chunk in blobs.chunks(key):
        size += len(chunk)
        if size > size_bytes:
            break
        hasher.update(chunk)
        if withheld:
            yield withheld
        withheld = chunk
    if size != size_bytes or hasher.digest() != sha256:
        raise DataLoss("a stored object does not match its digest")
    yield withheld


class DirectoryBlobStore:
    """Objects as files of a folder; a rename publishes, and both file and folder are flushed to the disk."""

    def __init__(self, root: Path) -> None:
        """Take the folder, which is made when it is missing."""
        self._root = root
        self.spool = root / ".incoming"
        self.spool.mkdir(parents=True, exist_ok=True)

    async def publish(self, file: Path, key: str) -> None:
        """Move the file to its place; readers see the old object or the new one."""
        await _run(partial(self._move, file, self._path(key)))

    async def chunks(self, key: str) -> Chunks:
        """Read a file in chunks."""
        try:
            opened = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError as error:
            await self.check()
            raise DataLoss("a stored object is gone") from error
        with opened as source:
            while chunk := await _run(partial(source.read, CHUNK_BYTES)):
                yield chunk

    async def remove(self, key: str) -> None:
        """Unlink the file and flush its folder."""
        await _run(partial(self._unlink, self._path(key)))

    async def listing(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Walk the folder in the order of names."""
        found: list[tuple[str, datetime]] = await _run(partial(self._listed, prefix, after, limit))
        return found

    async def check(self) -> None:
        """Look for the folder."""
        if not await _run(self.spool.is_dir):
            raise Unavailable("the object store is away", retry_after=_RETRY_S)

    def _path(self, key: str) -> Path:
        """Return the file of a key; keys are made by the registry, never taken from outside."""
        path = self._root / key
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ValueError("a key leaves the store")
        return path

    def _listed(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Return the next files with the times they were written."""
        begin = tuple(after.split("/")) if after else ()
        found = []
        for path in islice(_files(self._root / prefix, tuple(prefix.strip("/").split("/")), begin), limit):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                found.append((str(path.relative_to(self._root)), written))
        return found

    @staticmethod
    def _unlink(file: Path) -> None:
        """Remove a file for good."""
        if file.exists():
            file.unlink(missing_ok=True)
            _flush_folder(file.parent)

    @staticmethod
    def _move(file: Path, target: Path) -> None:
        """Rename a flushed file to its place and flush the folders that changed."""
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        for folder in {target.parent, *(folder.parent for folder in made)}:
            _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    """Bring what changed in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path, names: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below a folder, named by the path `names`, that come behind the path `after`."""
    if not folder.is_dir():
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = (*names, entry.name)
        if entry.is_dir() and path >= after[: len(path)]:
            yield from _files(Path(entry.path), path, after)
        elif not entry.is_dir() and path > after:
            yield Path(entry.path)


async def _run(call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the call
    """Run a blocking call on a local file in a thread; a full or failing disk is Unavailable."""
    try:
        return await asyncio.to_thread(call)
    except OSError as error:
        raise Unavailable("the object store is away", retry_after=_RETRY_S) from error


def _flush(output: Any) -> None:  # noqa: ANN401 - any open file
    """Bring a file's bytes to the disk."""
    output.flush()
    os.fsync(output.fileno())


def blob_store(url: str, spool: Path, *, timeout_s: float = 10) -> BlobStore:
    """Build the store of a URL: file:///folder or s3://key:secret@host:port/bucket?secure=0.

    An S3 server that is silent for `timeout_s` seconds is given up.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return DirectoryBlobStore(Path(unquote(parts.path)))
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError("KETAV_BLOB_URL must begin with file:// or s3://")
    return s3_store(parts, spool, timeout_s)
