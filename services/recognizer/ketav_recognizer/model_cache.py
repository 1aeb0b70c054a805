"""Model files on disk under their SHA-256: fetched once from the registry, the oldest go first."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from ketav_common.errors import DataLoss, InvalidInput, Unavailable
from ketav_common.limits import MAX_CHECKED_MODELS, MAX_MODEL_BYTES
from ketav_common.logging import get_logger
from ketav_recognizer.domain import ModelRef

log = get_logger()

_PART: Final = ".part"
_LONGEST_FETCH_S: Final = 3600
"""Seconds after which an unfinished file is one that a killed service left."""

Fetch = Callable[[ModelRef], AsyncIterator[bytes]]
"""Streams a model's file as the current caller may have it."""
Check = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Says which of some digests may still be used."""


class ModelCache:
    """Holds model files under their digests; verified when written, and again by whoever loads them."""

    def __init__(self, directory: Path, max_bytes: int, fetch: Fetch) -> None:
        """Take the folder, its limit in bytes, and who fetches a model that is not there."""
        self._directory = directory
        self._max_bytes = max_bytes
        self._fetch = fetch
        self._fetching: dict[tuple[str, UUID | None], asyncio.Task[Path]] = {}

    async def path(self, model: ModelRef, user: UUID | None) -> Path:
        """Return where a model lies on disk, fetching it when it is not there.

        Requests of one user for the same model share one fetch. Raises what the fetch raises, DataLoss when
        the bytes do not match the digest, Unavailable when the disk refuses.
        """
        path = self._file(model.sha256)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            return path
        key = (model.sha256, user)
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._store(model, path))
            self._fetching[key] = task
            task.add_done_callback(lambda done: self._fetched(key, done))
        return await asyncio.shield(task)

    def drop(self, sha256: str) -> None:
        """Forget a file that turned out to be damaged."""
        self._file(sha256).unlink(missing_ok=True)

    async def forget_unusable(self, check: Check) -> None:
        """Forget the files that may not be used any more; raises what the check raises."""
        held = sorted(path.stem for path in self._directory.glob("*.safetensors"))
        for start in range(0, len(held), MAX_CHECKED_MODELS):
            some = held[start : start + MAX_CHECKED_MODELS]
            for digest in set(some) - await check(some):
                self.drop(digest)
                log.info("model_forgotten", sha256=digest)

    def _file(self, sha256: str) -> Path:
        """Return a digest's place on disk."""
        return self._directory / f"{sha256}.safetensors"

    def _fetched(self, key: tuple[str, UUID | None], task: asyncio.Task[Path]) -> None:
        """Forget a finished fetch; its error went to those who waited, or to nobody if all have left."""
        del self._fetching[key]
        if not task.cancelled() and task.exception() is not None:
            log.warning("model_not_fetched", sha256=key[0], reason=type(task.exception()).__name__)

    async def _store(self, model: ModelRef, path: Path) -> Path:
        """Fetch a file beside its place, verify it, and move it there in one step."""
        if model.size_bytes > MAX_MODEL_BYTES:
            raise InvalidInput("the model file is too long", code="unusable-model")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._directory, suffix=_PART)
            try:
                with os.fdopen(handle, "wb") as file:
                    await self._write(model, file)
                await asyncio.to_thread(self._admit, Path(name), path)
            finally:
                await asyncio.to_thread(Path(name).unlink, missing_ok=True)
        except OSError as error:
            raise Unavailable("the model cache cannot be written", code="model-cache") from error
        log.info("model_fetched", model=model.version, bytes=model.size_bytes)
        return path

    async def _write(self, model: ModelRef, file: BinaryIO) -> None:
        """Write the fetched chunks; raise DataLoss unless exactly the expected bytes came."""
        digest, length = hashlib.sha256(), 0
        async for chunk in self._fetch(model):
            length += len(chunk)
            if length > min(model.size_bytes, MAX_MODEL_BYTES):
                break
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
        if length != model.size_bytes or digest.hexdigest() != model.sha256:
            raise DataLoss("the model that came is not the one asked for", code="model-digest")

    def _admit(self, part: Path, newest: Path) -> None:
        """Move a verified file to its place, then delete those used longest ago until the rest fits."""
        part.replace(newest)
        for left in self._directory.glob(f"*{_PART}"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - left.stat().st_mtime > _LONGEST_FETCH_S:
                    left.unlink()
        files = []
        for path in self._directory.glob("*.safetensors"):
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
