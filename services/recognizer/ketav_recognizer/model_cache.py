"""Model files on disk, named by their SHA-256 and fetched once; the least recently used ones are deleted."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from ketav_common.errors import DataLoss, InvalidInput, Unavailable
from ketav_common.limits import MAX_CHECKED_MODELS, MAX_MODEL_BYTES
from ketav_common.logging import get_logger
from ketav_recognizer import metrics
from ketav_recognizer.domain import ModelRef

log = get_logger()

_SUFFIX: Final = ".safetensors"
_PART_SUFFIX: Final = ".part"
_ABANDONED_PART_S: Final = 3600
"""Seconds after which an unfinished file is one that a killed process left: a fetch has a deadline of 60."""

Fetch = Callable[[ModelRef], AsyncIterator[bytes]]
"""Streams a model's file with the authorization of the current caller."""
UsableDigests = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Returns those of some digests whose models may still be used."""


@dataclass(frozen=True, slots=True)
class _FetchKey:
    """Callers of one user for the same model share a fetch; another user's authorization may differ."""

    sha256: str
    user: UUID | None


class ModelCache:
    """Keeps model files under their digests, verified when written and again when a reader loads them."""

    def __init__(self, directory: Path, max_bytes: int, fetch: Fetch) -> None:
        """Take the directory, its limit in bytes, and the function that fetches a missing model."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._fetch = fetch
        self._fetches: dict[_FetchKey, asyncio.Task[Path]] = {}
        metrics.CACHE_BYTES.set_function(self._size_bytes)
        metrics.CACHE_LIMIT_BYTES.set(max_bytes)

    async def path(self, model: ModelRef, user: UUID | None) -> Path:
        """Return the path of a model's file, fetched first when it is missing.

        Raises the errors of the fetch, DataLoss when the bytes do not match the digest, Unavailable when the
        disk cannot be written.
        """
        path = self._file(model.sha256)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            metrics.CACHE_LOOKUPS.labels("hit").inc()
            return path
        metrics.CACHE_LOOKUPS.labels("miss").inc()
        key = _FetchKey(model.sha256, user)
        task = self._fetches.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._store(model, path))
            self._fetches[key] = task
            task.add_done_callback(lambda done: self._forget_fetch(key, done))
        return await asyncio.shield(task)

    def drop(self, sha256: str) -> None:
        """Delete a file that turned out to be damaged."""
        self._file(sha256).unlink(missing_ok=True)

    async def drop_unusable(self, usable: UsableDigests) -> None:
        """Delete the files of models that may not be used any more; raises the errors of `usable`."""
        cached = sorted(path.stem for path in self._directory.glob(f"*{_SUFFIX}"))
        for start in range(0, len(cached), MAX_CHECKED_MODELS):
            digests = cached[start : start + MAX_CHECKED_MODELS]
            for digest in set(digests) - await usable(digests):
                self.drop(digest)
                log.info("cached_model_dropped", sha256=digest)

    def _size_bytes(self) -> int:
        """Return the bytes of all model files."""
        total = 0
        for path in self._directory.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def _file(self, sha256: str) -> Path:
        """Return the path of a digest's file."""
        return self._directory / f"{sha256}{_SUFFIX}"

    def _forget_fetch(self, key: _FetchKey, task: asyncio.Task[Path]) -> None:
        """Remove a finished fetch; its callers have its error, if they still wait."""
        del self._fetches[key]
        if not task.cancelled() and task.exception() is not None:
            log.warning("model_not_fetched", sha256=key.sha256, reason=type(task.exception()).__name__)

    async def _store(self, model: ModelRef, path: Path) -> Path:
        """Fetch a file into a temporary one, verify it, and rename it in one step.

        Raises InvalidInput for a file above the limit, DataLoss for other bytes than expected, and
        Unavailable when the cache cannot be written.
        """
        if model.size_bytes > MAX_MODEL_BYTES:
            raise InvalidInput(
                f"The model file has {model.size_bytes:,} bytes; at most {MAX_MODEL_BYTES:,} are read. "
                "Activate another version.",
                code="unusable-model",
            )
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._directory, suffix=_PART_SUFFIX)
            try:
                with os.fdopen(handle, "wb") as file:
                    await self._write(model, file)
                await asyncio.to_thread(self._admit, Path(name), path)
            finally:
                await asyncio.to_thread(Path(name).unlink, missing_ok=True)
        except OSError as error:
            raise Unavailable(
                "The recognizer's model cache cannot be written. Try again later.", code="model-cache"
            ) from error
        log.info("model_fetched", model=model.version, bytes=model.size_bytes)
        return path

    async def _write(self, model: ModelRef, file: BinaryIO) -> None:
        """Write the fetched chunks; raises DataLoss unless exactly the expected bytes arrived."""
        digest, length = hashlib.sha256(), 0
        async for chunk in self._fetch(model):
            length += len(chunk)
            if length > min(model.size_bytes, MAX_MODEL_BYTES):
                break
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        if length != model.size_bytes or digest.hexdigest() != model.sha256:
            raise DataLoss(
                "The model file from the registry does not match its digest. Try again later.",
                code="model-digest",
            )

    def _admit(self, part: Path, newest: Path) -> None:
        """Rename a verified file, then delete the least recently used ones until the cache fits its limit."""
        part.replace(newest)
        for abandoned in self._directory.glob(f"*{_PART_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - abandoned.stat().st_mtime > _ABANDONED_PART_S:
                    abandoned.unlink()
        files = []
        for path in self._directory.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                files.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._max_bytes:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                total -= size
