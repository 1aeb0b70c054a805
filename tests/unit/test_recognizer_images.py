"""Stored images are decoded with bounds; anything else is an unusable image, never another error."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image as Pillow

from ketav_engine.domain import UnusableImageError
from ketav_engine.images import decode


def encoded(image: Pillow.Image, form: str) -> bytes:
    """Encode an image in memory."""
    target = io.BytesIO()
    image.save(target, form)
    return target.getvalue()


@pytest.mark.parametrize(
    ("mode", "form", "shape"),
    [
        ("L", "PNG", (30, 40)),
        ("RGB", "PNG", (30, 40, 3)),
        ("RGB", "JPEG", (30, 40, 3)),
        ("1", "PNG", (30, 40)),
    ],
)
def test_a_stored_image_becomes_an_array_of_bytes(mode: str, form: str, shape: tuple[int, ...]) -> None:
    """Grey stays grey, colour becomes RGB."""
    image = decode(encoded(Pillow.new(mode, (40, 30), 1), form))
    assert image.dtype == np.uint8
    assert image.shape == shape


def bomb() -> bytes:
    """Return the header of a PNG of 10000 × 10000 pixels."""
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


WHOLE = encoded(Pillow.new("L", (64, 64), 128), "PNG")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89",
        WHOLE[:8],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:40] + b"\0\0\0\0" + WHOLE[44:],
        bomb(),
        encoded(Pillow.new("L", (8, 8)), "GIF"),
        encoded(Pillow.new("L", (8, 8)), "BMP"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["empty", "byte", "signature", "half", "crc", "bomb", "gif", "bmp", "eps", "svg"],
)
def test_what_is_not_a_whole_png_or_jpeg_of_bounded_size_is_unusable(content: bytes) -> None:
    """Every kind of damage comes as the one error that the caller knows."""
    with pytest.raises(UnusableImageError):
        decode(content)
