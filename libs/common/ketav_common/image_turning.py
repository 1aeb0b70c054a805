"""Turning of images: the recognizer judges a turned image, and the gateway stores the same one.

Both call `turned`, so that the coordinates of the lines are those of the stored image.
"""

import math
from typing import Final

from PIL import Image

_QUARTERS: Final = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Pillow's transpositions, which count counterclockwise, by degrees clockwise."""


def turned(image: Image.Image, degrees: int) -> Image.Image:
    """Return an image turned clockwise by whole degrees; other angles than quarters enlarge the canvas.

    The new corners have the median colour of the image, which is its paper.
    """
    degrees %= 360
    if degrees == 0:
        return image
    if degrees in _QUARTERS:
        return image.transpose(_QUARTERS[degrees])
    return image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_paper(image))


def turned_size(width: int, height: int, degrees: int) -> tuple[int, int]:
    """Return the width and height in pixels, rounded up, of an image after a turn by these degrees."""
    angle = math.radians(degrees)
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    return math.ceil(width * cosine + height * sine), math.ceil(width * sine + height * cosine)


def _paper(image: Image.Image) -> int | tuple[int, ...]:
    """Return the median level of each channel."""
    medians = [_median(channel.histogram()) for channel in image.split()]
    return medians[0] if len(medians) == 1 else tuple(medians)


def _median(histogram: list[int]) -> int:
    """Return the median level of a histogram."""
    below, half = 0, sum(histogram) / 2
    for level, count in enumerate(histogram):
        below += count
        if below >= half:
            return level
    return len(histogram) - 1
