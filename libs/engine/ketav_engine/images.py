"""Decode stored images, with bounds; a process that may die runs it."""

import io
import struct
import warnings
import zlib
from typing import Final

import numpy as np
from PIL import Image as Pillow

from ketav_common.limits import MAX_IMAGE_PIXELS
from ketav_engine.domain import Image, UnusableImageError

_FORMATS: Final = ("PNG", "JPEG")
_DECODER_ERRORS: Final = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)
"""The errors that Pillow's decoders raise on damaged files."""


def decode(content: bytes) -> Image:
    """Decode a stored PNG or JPEG into a grey (height, width) or RGB (height, width, 3) array.

    Raises UnusableImageError for anything else. The size is checked before any pixel is decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Pillow.open(io.BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MAX_IMAGE_PIXELS:
                    raise UnusableImageError(
                        f"The image has more than {MAX_IMAGE_PIXELS:,} pixels. Send a smaller image."
                    )
                grey = image.mode in {"1", "L"}
                return np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    except (*_DECODER_ERRORS, Warning, Pillow.DecompressionBombError) as error:
        raise UnusableImageError("The image cannot be decoded. Send a PNG or JPEG file.") from error
