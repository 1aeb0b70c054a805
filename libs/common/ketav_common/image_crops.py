"""Pictures of lines: parts of a stored image, scaled to one height."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from ketav_common.image_refusals import check_size

Box = tuple[int, int, int, int]
"""Left, top, right and bottom edge of a part, in pixels of the image."""
MEDIA_TYPE: Final = "image/jpeg"
_QUALITY: Final = 82
"""A line of 1,500 x 96 pixels takes about 15 kB; its thin strokes have no visible blocks."""
_MAX_WIDTH: Final = 4096
"""Pixels: a picture that is wider after scaling is scaled down to it."""


def crop(source: Path, boxes: Sequence[Sequence[int]], height: int, folder: Path) -> None:
    """Write a JPEG of `height` pixels for each box of an image to `folder`.

    The files are named by the index of the box. A box is cut off at the edges of the
    image. Decoders raise what they raise.
    """
    image = Image.open(io.BytesIO(source.read_bytes()), formats=["PNG", "JPEG"])
    check_size(*image.size)
    image.load()
    for number, (left, top, right, bottom) in enumerate(boxes):
        x, y = max(0, min(left, image.width - 1)), max(0, min(top, image.height - 1))
        part = image.crop((x, y, max(x + 1, min(right, image.width)), max(y + 1, min(bottom, image.height))))
        scale = min(height / part.height, _MAX_WIDTH / part.width)
        size = (max(1, round(part.width * scale)), max(1, round(part.height * scale)))
        scaled = part.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        scaled.save(folder / str(number), "JPEG", quality=_QUALITY)
