"""Replayed lines: a few hundred normalised lines of other writers, shipped with the base model."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from ketav_engine.domain import Image, TrainingLine, UnusableModelError

_MAX_FILE_BYTES: Final = 16 * 1024 * 1024
"""Bytes of a file that are read; those shipped have less than 2 MB."""
_GREYS: Final = 17
"""Distance of the stored grey levels: sixteen of them."""


def write(lines: Sequence[TrainingLine], path: Path) -> None:
    """Write lines of one height side by side, in sixteen greys, as a compressed npz without pickle."""
    images = np.concatenate([line.image for line in lines], axis=1)
    np.savez_compressed(
        path,
        allow_pickle=False,
        images=np.rint(images / _GREYS).astype(np.uint8),
        widths=np.array([line.image.shape[1] for line in lines], dtype=np.int32),
        texts=np.frombuffer("\n".join(line.text for line in lines).encode(), dtype=np.uint8),
    )


def read(path: Path, height: int | None = None) -> list[TrainingLine]:
    """Read the lines of a file, scaled to a height in pixels if one is given.

    Raises UnusableModelError when the file is of another format.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            edges = np.concatenate([[0], np.cumsum(arrays["widths"])])
            images, texts = arrays["images"] * np.uint8(_GREYS), arrays["texts"].tobytes().decode()
        return [
            TrainingLine(_scaled(np.ascontiguousarray(images[:, start:end]), height), text)
            for start, end, text in zip(edges[:-1], edges[1:], texts.split("\n"), strict=True)
        ]
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableModelError(
            "The file does not hold replayed lines. Use models/replay_lines.npz or models/general_lines.npz."
        ) from error


def _scaled(image: Image, height: int | None) -> Image:
    """Bring a line to a height; its width follows."""
    if height is None or height == image.shape[0]:
        return image
    size = (max(1, round(image.shape[1] * height / image.shape[0])), height)
    method = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
