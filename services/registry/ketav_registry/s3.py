"""The object store of production: a bucket of MinIO or any S3 server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from ketav_common.errors import DataLoss, KetavError, Unavailable
from ketav_common.limits import CHUNK_BYTES

_RETRY_S = 2


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

    async def chunks(self, key: str) -> AsyncIterator[bytes]:
        """Read an object in chunks over one connection."""
        get = partial(self._client.get_object, bucket_name=self._bucket, object_name=key)
        response = await self._call(get)
        try:
            while chunk := await self._call(partial(response.read, CHUNK_BYTES)):
                yield chunk
        finally:
            response.close()
            response.release_conn()

    async def remove(self, key: str) -> None:
        """Delete the object."""
        await self._call(partial(self._client.remove_object, bucket_name=self._bucket, object_name=key))

    async def listing(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """List the bucket."""
        listed = partial(self._client.list_objects, bucket_name=self._bucket, prefix=prefix, recursive=True)
        found = await self._call(lambda: list(islice(listed(start_after=after or None), limit)))
        return [(item.object_name, item.last_modified) for item in found]

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


def s3_store(parts: SplitResult, spool: Path, timeout_s: float) -> S3BlobStore:
    """Build the store of a URL s3://key:secret@host:port/bucket?secure=0 that was taken apart."""
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    timeout = urllib3.Timeout(connect=min(3, timeout_s), read=timeout_s)
    retries = urllib3.Retry(2, read=0, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
    http = urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=8)
    client = Minio(
        host + port,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parse_qs(parts.query).get("secure", ["1"])[-1] != "0",
        http_client=http,
    )
    return S3BlobStore(client, parts.path.strip("/"), spool)
