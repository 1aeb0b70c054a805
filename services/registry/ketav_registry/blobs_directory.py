"""Object store in a folder of the local disk."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

from ketav_common.errors import DataLoss, Unavailable
from ketav_common.limits import CHUNK_BYTES, MAX_MODEL_BYTES, MIB
from ketav_registry.blobs import RETRY_AFTER_S, STORE_MISSING, STORE_UNAVAILABLE, run_on_disk


class DirectoryBlobStore:
    """Stores objects as files. A rename publishes a file; file and folder are flushed to the disk."""

    def __init__(self, root: Path, min_free_bytes: int = MAX_MODEL_BYTES) -> None:
        """Use this folder; with less than `min_free_bytes` free, its disk counts as full."""
        self._root = root
        self._min_free_bytes = min_free_bytes
        self.spool = root / ".incoming"

    async def publish(self, file: Path, key: str) -> None:
        """Rename the file to its key's path; readers see the old object or the new one."""
        await run_on_disk(partial(_move, file, self._path(key)))

    async def chunks(self, key: str) -> AsyncIterator[bytes]:
        """Yield a file in chunks."""
        try:
            opened = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError as error:
            if not await run_on_disk(self.spool.is_dir):
                raise Unavailable(STORE_UNAVAILABLE, retry_after=RETRY_AFTER_S) from error
            raise DataLoss(
                "A stored object is missing. Ask the operator to restore it from a backup."
            ) from error
        with opened as source:
            while chunk := await run_on_disk(partial(source.read, CHUNK_BYTES)):
                yield chunk

    async def remove(self, key: str) -> None:
        """Unlink the file and flush its folder."""
        await run_on_disk(partial(_unlink, self._path(key)))

    async def listing(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Walk the folder in the order of names."""
        return await run_on_disk(partial(self._list, prefix, after, limit))

    async def problem(self) -> str:
        """Check that the folder exists and that the largest file fits on its disk."""
        try:
            if not await asyncio.to_thread(self.spool.is_dir):
                return STORE_MISSING
            free_bytes = (await asyncio.to_thread(shutil.disk_usage, self._root)).free
        except OSError as error:
            return f"The folder of KETAV_BLOB_URL cannot be read: {error.strerror}. Check its disk."
        if free_bytes < self._min_free_bytes:
            return (
                f"The disk of the object store is full: {free_bytes // MIB:,} MiB are free, and a model may "
                f"take {self._min_free_bytes // MIB:,}. Free space on it."
            )
        return ""

    async def create(self) -> None:
        """Make the folder."""
        await run_on_disk(partial(self.spool.mkdir, parents=True, exist_ok=True))

    def _path(self, key: str) -> Path:
        """Return the path of a key. ValueError: it is outside the folder, as no key of the registry is."""
        path = self._root / key
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ValueError("A key leads out of the folder of the object store.")
        return path

    def _list(self, prefix: str, after: str, limit: int) -> list[tuple[str, datetime]]:
        """Return the keys of the next files with the times at which they were written."""
        start = tuple(after.split("/")) if after else ()
        files = _files(self._root / prefix, tuple(prefix.strip("/").split("/")), start)
        objects = []
        for path in islice(files, limit):
            with contextlib.suppress(FileNotFoundError):  # removed since the folder was listed
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                objects.append((str(path.relative_to(self._root)), written))
        return objects


def _move(file: Path, target: Path) -> None:
    """Rename a flushed file to its path and flush the folders that changed."""
    new_folders = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    file.replace(target)
    for folder in {target.parent, *(folder.parent for folder in new_folders)}:
        _flush_folder(folder)


def _unlink(file: Path) -> None:
    """Remove a file durably."""
    if file.exists():
        file.unlink(missing_ok=True)
        _flush_folder(file.parent)


def _flush_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path, names: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files below a folder whose paths are behind `after`; `names` is the folder's own path."""
    if not folder.is_dir():
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = (*names, entry.name)
        if entry.is_dir() and path >= after[: len(path)]:
            yield from _files(Path(entry.path), path, after)
        elif not entry.is_dir() and path > after:
            yield Path(entry.path)
