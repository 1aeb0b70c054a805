"""Object store in a bucket of MinIO or any S3 server."""

import asyncio
import base64
import hashlib
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
from ketav_common.logging import get_logger
from ketav_registry.blobs import RETRY_AFTER_S, STORE_MISSING, STORE_UNAVAILABLE

log = get_logger()

_THREADS = 8
"""Concurrent calls; the client blocks, so each needs a thread and a connection."""
_CONNECT_TIMEOUT_S = 3
"""Seconds for a new connection: an S3 server in the same network accepts within milliseconds."""
_UPLOADS = 3
"""Uploads of an object whose bytes are damaged on their way."""
_DAMAGE_ERRORS = {"BadDigest", "XAmzContentSHA256Mismatch"}
"""Codes of S3 for a body that does not match its digest."""
_KEY_ERRORS = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
"""Codes of S3 for keys that are unknown or wrong or may not use the bucket."""


class _DigestPool(urllib3.PoolManager):
    """Connections that send the MD5 of each body: S3 compares it before it stores the body.

    The client of MinIO sends it over TLS alone; the SHA-256 that it sends without TLS is not compared by
    every store. MD5 finds accidental damage only.
    """

    def urlopen(  # type: ignore[override]
        self,
        method: str,
        url: str,
        redirect: bool = True,
        **request: Any,  # noqa: ANN401 - as the method that it overrides
    ) -> urllib3.BaseHTTPResponse:
        """Send a request with the MD5 of its body."""
        if body := request.get("body"):
            digest = hashlib.md5(body, usedforsecurity=False).digest()
            request["headers"].setdefault("Content-MD5", base64.b64encode(digest).decode())
        return super().urlopen(method, url, redirect, **request)


class S3BlobStore:
    """Stores objects in a bucket; blocking calls of the client run in a few threads, with timeouts."""

    def __init__(self, client: Minio, bucket: str, spool: Path) -> None:
        """Use this bucket, which `create` makes, and a local folder for uploads."""
        self._client = client
        self._bucket = bucket
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
        self.spool = spool
        self.spool.mkdir(parents=True, exist_ok=True)

    async def publish(self, file: Path, key: str) -> None:
        """Upload the file in one request of known length, or in parts if it is large.

        S3 refuses bytes that were damaged on their way, and the key keeps the object that it had. They are
        sent again; Unavailable: they were damaged each time.
        """
        upload = partial(self._client.fput_object, bucket_name=self._bucket, object_name=key)
        await self._call(partial(_repeat_damaged, partial(upload, file_path=str(file))))

    async def chunks(self, key: str) -> AsyncIterator[bytes]:
        """Yield an object in chunks over one connection; raises DataLoss when it is missing."""
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
        objects = partial(self._client.list_objects, bucket_name=self._bucket, prefix=prefix, recursive=True)
        listed = await self._call(lambda: list(islice(objects(start_after=after or None), limit)))
        return [(item.object_name, item.last_modified) for item in listed]

    async def problem(self) -> str:
        """Check that the bucket exists and that the server accepts the keys."""
        exists = partial(self._client.bucket_exists, bucket_name=self._bucket)
        try:
            bucket_exists = await asyncio.get_running_loop().run_in_executor(self._pool, exists)
        except S3Error as error:
            return _describe(error.code or "")
        except (MinioException, urllib3.exceptions.HTTPError, OSError):
            return (
                "The object store does not answer at the host of KETAV_BLOB_URL. Start it, or correct the "
                "variable."
            )
        return "" if bucket_exists else STORE_MISSING

    async def create(self) -> None:
        """Make the bucket."""
        if not await self._call(partial(self._client.bucket_exists, bucket_name=self._bucket)):
            await self._call(partial(self._client.make_bucket, bucket_name=self._bucket))

    async def _call(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - the client is untyped
        """Run a blocking call in the pool; maps its errors."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _map_error(error) from error


def _repeat_damaged(upload: Callable[[], object]) -> None:
    """Upload until the bytes arrive undamaged, at most _UPLOADS times."""
    for remaining in reversed(range(_UPLOADS)):
        try:
            upload()
        except S3Error as error:
            if error.code not in _DAMAGE_ERRORS or not remaining:
                raise
            log.warning("upload_damaged", reason=error.code)
        else:
            return


def _describe(code: str) -> str:
    """Return a sentence for the operator about an error code of S3."""
    if code in _KEY_ERRORS:
        return "The object store rejects the keys of KETAV_BLOB_URL. Correct the variable."
    if "Full" in code or "Quota" in code:
        return f"The object store is full (S3 error {code}). Free space in it."
    return f"The object store answers with the S3 error {code}. Look it up in the log of the store."


def _map_error(error: Exception) -> KetavError:
    """Return the domain error for an error of the client."""
    if isinstance(error, S3Error) and error.code in {"NoSuchKey", "NoSuchObject"}:
        return DataLoss("A stored object is missing. Ask the operator to restore it from a backup.")
    code = error.code if isinstance(error, S3Error) else type(error).__name__
    log.warning("object_store_failed", reason=code)
    return Unavailable(STORE_UNAVAILABLE, retry_after=RETRY_AFTER_S)


def s3_store(parts: SplitResult, spool: Path, timeout_s: float) -> S3BlobStore:
    """Create the store of a parsed URL s3://key:secret@host:port/bucket?secure=0."""
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    timeout = urllib3.Timeout(connect=min(_CONNECT_TIMEOUT_S, timeout_s), read=timeout_s)
    retries = urllib3.Retry(2, read=0, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
    http = _DigestPool(timeout=timeout, retries=retries, maxsize=_THREADS)
    client = Minio(
        host + port,
        access_key=unquote(parts.username or ""),
        secret_key=unquote(parts.password or ""),
        secure=parse_qs(parts.query).get("secure", ["1"])[-1] != "0",
        http_client=http,
    )
    return S3BlobStore(client, parts.path.strip("/"), spool)
