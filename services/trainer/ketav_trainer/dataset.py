"""Stores a run's frozen ground truth, a stream of the registry, in a private directory."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Final

from ketav.registry.v1 import ground_truth_pb2
from ketav_common.errors import DataLoss
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_MODEL_BYTES
from ketav_trainer import convert
from ketav_trainer.domain import Dataset, GroundTruthPage, ModelRef

_MAX_BYTES: Final = max(MAX_MODEL_BYTES, MAX_IMAGE_BYTES)
"""Bytes of one file that is received: a model or a page's image."""


async def save_dataset(
    stream: AsyncIterator[ground_truth_pb2.ExportGroundTruthResponse], directory: Path
) -> Dataset:
    """Write every page's image into the directory and return the dataset.

    Raises DataLoss when an image does not match its digest.
    """
    pages: list[GroundTruthPage] = []
    manifest = hashlib.sha256()
    writer = _HashedFile()
    try:
        async for message in stream:
            if message.WhichOneof("part") == "page":
                writer.finish()
                name = f"page-{len(pages):05d}"
                writer = _HashedFile((directory / name).open("wb"), message.page.image.sha256)
                pages.append(convert.to_page(message.page, name))
                manifest.update(message.page.SerializeToString(deterministic=True))
            else:
                writer.write(message.chunk)
        writer.finish()
    finally:
        writer.close()
    return Dataset(directory, tuple(pages), manifest.hexdigest())


async def save_model(stream: AsyncIterator[bytes], model: ModelRef, path: Path) -> None:
    """Write a model's file; raises DataLoss when it does not match its digest."""
    with path.open("wb") as file:
        writer = _HashedFile(file, bytes.fromhex(model.sha256))
        async for chunk in stream:
            writer.write(chunk)
        writer.finish()


class _HashedFile:
    """A file that is hashed while it is written; without a file, writing raises DataLoss."""

    def __init__(self, file: IO[bytes] | None = None, sha256: bytes = b"") -> None:
        """Take the file to write and the SHA-256 that its content must have."""
        self._file = file
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._length = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk; raises DataLoss when it belongs to no file or the file becomes too long."""
        self._length += len(chunk)
        if self._file is None or self._length > _MAX_BYTES:
            raise DataLoss(
                "The ground truth from the registry is out of order or too long. Try again later.",
                code="ground-truth",
            )
        self._digest.update(chunk)
        self._file.write(chunk)

    def close(self) -> None:
        """Close the file without a check; it may be closed already."""
        if self._file is not None:
            self._file.close()

    def finish(self) -> None:
        """Close the file; raises DataLoss when its content has another digest."""
        if self._file is None:
            return
        self.close()
        if self._digest.digest() != self._sha256:
            raise DataLoss(
                "A file of the ground truth does not match its digest. Try again later.", code="ground-truth"
            )
