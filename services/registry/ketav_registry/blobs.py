"""The object store: content is hashed while it streams in and checked on every read.

`BlobStore` is a port with two implementations, a directory and S3; both pass one contract suite.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from ketav_common.chunks import CHUNK_BYTES, Counted
from ketav_common.errors import DataLoss, InvalidInput, KetavError, Unavailable

_HEAD_BYTES = 4 * 1024 * 1024
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
    """Write a stream to a file, counted, and flush it to the disk; return its first 4 MiB."""
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

    @staticmethod
    def _move(file: Path, target: Path) -> None:
        """Rename a flushed file to its place and flush the folders that changed."""
        made = [folder for folder in target.parents if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
        for folder in {target.parent, *(folder.parent for folder in made)}:
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class S3BlobStore:
    """Objects in a bucket of MinIO or any S3 server; calls run in a few threads with timeouts."""

    def __init__(self, client: Minio, bucket: str, spool: Path, *, threads: int = 8) -> None:
        """Take a client, a bucket (made by `check` when missing) and a local folder for uploads."""
        self._client = client
        self._bucket = bucket
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="s3")
        self.spool = spool
        self.spool.mkdir(parents=True, exist_ok=True)

    async def publish(self, file: Path, key: str) -> None:
        """Upload the file in one request of known length (in parts when it is large)."""
        upload = partial(self._client.fput_object, bucket_name=self._bucket, object_name=key)
        await self._call(partial(upload, file_path=str(file)))

    async def chunks(self, key: str) -> Chunks:
        """Read an object in chunks over one connection."""
        get = partial(self._client.get_object, bucket_name=self._bucket, object_name=key)
        response = await self._call(get)
        try:
            while chunk := await self._call(partial(response.read, CHUNK_BYTES)):
                yield chunk
        finally:
            response.close()
            response.release_conn()

    async def check(self) -> None:
        """Ask for the bucket; make it when it is missing."""
        if not await self._call(partial(self._client.bucket_exists, bucket_name=self._bucket)):
            await self._call(partial(self._client.make_bucket, bucket_name=self._bucket))

    async def _call(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the client is untyped
        """Run a blocking call in the pool; name its errors."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _named(error) from error


def _named(error: Exception) -> KetavError:
    """Translate an error of the store into a domain error."""
    if isinstance(error, S3Error) and error.code in {"NoSuchKey", "NoSuchObject"}:
        return DataLoss("a stored object is gone")
    return Unavailable("the object store is away", retry_after=_RETRY_S)


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
    port = f":{parts.port}" if parts.port else ""
    timeout = urllib3.Timeout(connect=min(3, timeout_s), read=timeout_s)
    retries = urllib3.Retry(2, read=0, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
    http = urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=8)
    client = Minio(
        parts.hostname + port,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parse_qs(parts.query).get("secure", ["1"])[-1] != "0",
        http_client=http,
    )
    return S3BlobStore(client, parts.path.strip("/"), spool)
