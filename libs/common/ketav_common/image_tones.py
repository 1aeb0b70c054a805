"""Tones of a decoded upload: bits in use, darkness, light writing on dark ground, transparency.

Imported by the decoding child alone, which has Pillow and no NumPy.
"""

import math
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps

from ketav_common.image_refusals import Refused

_WHITE: Final = 255
_WORK_PIXELS: Final = 800
"""Pixels of the longer side of the reduced image on which tones are judged: strokes are one to four wide."""
_WORK_LINE_PIXELS: Final = 64
"""Pixels of the shorter side at least, for images of one line."""
_SURROUNDINGS: Final = 0.3
"""Radius of a pixel's surroundings as a share of the shorter side, within `_SURROUNDINGS_PIXELS`."""
_SURROUNDINGS_PIXELS: Final = (6, 24)
_FLAT: Final = 6
"""Grey levels of difference from the surroundings that grain and JPEG blocks make; they are not counted."""
_LIGHT_WRITING: Final = 0.6
"""Skewness of the differences from the surroundings above which the writing is light: on 60 pages drawn in 12
fonts and five sizes it was -1.60 or less, on their negatives 1.57 or more."""
_MAX_DARK_GROUND: Final = 140
"""Median grey level of an image up to which its ground can be a blackboard or a negative."""
_DARK_PHOTOGRAPH: Final = 110
"""Grey level that 99 % of a page's pixels do not reach when the photograph is too dark: paper is lighter."""
_BRIGHT: Final = 235
"""Grey level to which the paper of a dark photograph is brought."""
_LIGHTEST: Final = 0.99
_CLEAR: Final = 16
"""Opacity below which a pixel is transparent."""


def bits_in_use(highest: float) -> int:
    """Return the bits that an image's highest value needs, at least 8."""
    return max(8, math.ceil(math.log2(highest + 1)))


def to_eight_bits(image: Image.Image) -> tuple[Image.Image, bool]:
    """Scale a grey image of 16 or 32 bits for each pixel to 8 by the bits that it uses.

    Returns whether the values were scaled otherwise than from the full 16 bits. Raises Refused for values
    that are not numbers.
    """
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    lowest, highest = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(lowest) and math.isfinite(highest)) or _has_nan(image):
        raise Refused(
            "unsupported-mode",
            "The image has pixels that are not numbers. Save it with 8 bits per channel.",
        )
    if lowest < 0:
        white = highest - lowest
    elif image.mode == "F" and highest <= 1.0:
        lowest, white = 0.0, 1.0
    else:
        lowest, white = 0.0, float(2 ** bits_in_use(highest) - 1)
    scale = _WHITE / white if white else 1.0
    offset = -lowest * scale
    return image.point(lambda value: value * scale + offset).convert("L"), white != float(2**16 - 1)


def _has_nan(image: Image.Image) -> bool:
    """Return whether a float image has a pixel that is not a number."""
    if image.mode != "F":
        return False
    row = image.resize((1, 1), Image.Resampling.BOX)
    return not math.isfinite(float(row.getpixel((0, 0))))  # type: ignore[arg-type]


def without_transparency(image: Image.Image) -> Image.Image:
    """Return an RGBA image on white, or on black where its ink is light: white ink is invisible on white."""
    on_white = _on(image, "white")
    alpha = image.getchannel("A")
    clear = sum(alpha.histogram()[:_CLEAR])
    if clear < image.width * image.height / 2:
        return on_white
    on_black = _on(image, "black")
    return on_black if _contrast(on_black) > 2 * _contrast(on_white) else on_white


def _on(image: Image.Image, colour: str) -> Image.Image:
    """Return an RGBA image on a ground of one colour."""
    ground = Image.new("RGBA", image.size, colour)
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _contrast(image: Image.Image) -> float:
    """Return the mean absolute difference of an image's pixels from their surroundings, in grey levels."""
    differences = _differences(_reduced(image.convert("L")))
    return sum(abs(value - 128) * count for value, count in enumerate(differences)) / max(1, sum(differences))


def with_dark_writing(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Brighten a very dark photograph, then invert light writing on a dark ground.

    Takes an L or RGB image. Returns the image and the codes of the changes in their order: `brightened`,
    `inverted`. Without a change these are the image itself and no code.
    """
    changes = []
    grey = image.convert("L")
    level = _percentile(grey, _LIGHTEST)
    if 0 < level < _DARK_PHOTOGRAPH:
        factor = _BRIGHT / level
        image = image.point(lambda value: min(_WHITE, round(value * factor)))
        grey = image.convert("L")
        changes.append("brightened")
    if is_negative(grey):
        image = ImageOps.invert(image)
        changes.append("inverted")
    return image, changes


def is_negative(grey: Image.Image) -> bool:
    """Return whether a grey image shows light writing on a dark ground.

    Writing is the smaller part of its surroundings and differs strongly from them, so the differences of
    the pixels from their surroundings are skewed towards it.
    """
    if _percentile(grey, 0.5) > _MAX_DARK_GROUND:
        return False
    return _skewness(_differences(_reduced(grey))) > _LIGHT_WRITING


def _reduced(grey: Image.Image) -> Image.Image:
    """Return a grey image at the size on which tones are judged."""
    longer, shorter = max(grey.size), min(grey.size)
    scale = min(1.0, max(_WORK_PIXELS / longer, _WORK_LINE_PIXELS / shorter))
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(size, Image.Resampling.BOX)


def _differences(grey: Image.Image) -> list[int]:
    """Return the histogram of half the differences from the surroundings, 128 for none."""
    min_pixels, max_pixels = _SURROUNDINGS_PIXELS
    radius = min(max(round(_SURROUNDINGS * min(grey.size)), min_pixels), max_pixels)
    around = grey.filter(ImageFilter.BoxBlur(radius))
    return ImageChops.subtract(grey, around, scale=2.0, offset=128).histogram()


def _skewness(histogram: list[int]) -> float:
    """Return the skewness of differences that are more than grain; 0 for an image without any."""
    values = [(2 * (value - 128), count) for value, count in enumerate(histogram) if count]
    values = [(value, count) for value, count in values if abs(value) > _FLAT]
    count = sum(count for _, count in values)
    if not count:
        return 0.0
    square = sum(value**2 * number for value, number in values) / count
    cube = sum(value**3 * number for value, number in values) / count
    return float(cube / square**1.5)


def _percentile(grey: Image.Image, share: float) -> int:
    """Return the grey level that a share of the pixels does not exceed."""
    histogram, below = grey.histogram(), 0
    pixels = share * sum(histogram)
    for level, count in enumerate(histogram):
        below += count
        if below >= pixels:
            return level
    return _WHITE
