"""TIFF files that Pillow does not read, or reads otherwise than their writers meant.

Imported by the decoding child alone. The tags are those of TIFF 6.0; SubIFDs of TIFF Technical Note 1.
"""

import io
import struct
import sys
from typing import Any, Final

from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from ketav_common.image_refusals import Refused

_NEW_SUBFILE_TYPE: Final = 254
_REDUCED: Final = 1
"""Bit of that tag: the directory is a smaller copy of another image of the file."""
_BITS_PER_SAMPLE: Final = 258
_PLANAR_CONFIGURATION: Final = 284
_SUB_IFDS: Final = 330
_SAMPLE_FORMAT: Final = 339
_KINDS: Final = {1: "whole numbers", 2: "signed numbers", 3: "floating-point numbers"}
_SEPARATE_PLANES: Final = 2
_PLANE_BITS: Final = 8
"""Bits of a channel at most that Pillow reads where channels are in separate planes."""
_INTEGER_BITS: Final = 16
"""Bits of a channel of whole numbers at most that scanners write."""
_MAX_SUB_IFDS: Final = 16
"""SubIFDs that are looked at: cameras write two to four."""


def open_tiff(data: bytes) -> Image.Image:
    """Open a TIFF. Refused unsupported-mode: its pixels are numbers that Pillow does not read."""
    try:
        return Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError:
        _check_numbers(data)
        raise


def _check_numbers(data: bytes) -> None:
    """Raise Refused if the first directory of a TIFF that Pillow does not open has unusual numbers."""
    file = io.BytesIO(data)
    tags: Any = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    bits, kind = max(tags.get(_BITS_PER_SAMPLE) or (1,)), max(tags.get(_SAMPLE_FORMAT) or (1,))
    if kind != 1 or bits > _INTEGER_BITS:
        raise Refused(
            "unsupported-mode",
            f"The pixels of the TIFF are {_KINDS.get(kind, 'numbers')} of {bits} bits, which are not read. "
            "Save it with 8 bits per channel.",
        )


def with_full_image(data: bytes) -> bytes:
    """Return a TIFF that begins with the full image where its only directory is a preview of it.

    Cameras and some scanners write the full image into a SubIFD of its preview. Refused unsupported-mode: no
    SubIFD can be read as an image.
    """
    with open_tiff(data) as image:
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        offsets = tags.get(_SUB_IFDS) or ()
        marked = int(tags.get(_NEW_SUBFILE_TYPE) or 0) & _REDUCED
        if not marked or tags.next or not offsets:
            return data
    for offset in offsets[:_MAX_SUB_IFDS]:
        file = _beginning_at(data, offset)
        if _is_full(file):
            return file
    raise Refused(
        "unsupported-mode",
        "The TIFF has a preview, and an image that is not read, such as the raw data of a camera. Save it "
        "as JPEG or PNG.",
    )


def _beginning_at(data: bytes, offset: int) -> bytes:
    """Return a TIFF whose first directory is at another offset."""
    order = "<" if data.startswith(b"II") else ">"
    return data[:4] + struct.pack(f"{order}I", offset) + data[8:]


def _is_full(data: bytes) -> bool:
    """Return whether the first directory of a TIFF can be read and is no smaller copy of another image."""
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as image:
            tags: Any = image.tag_v2  # type: ignore[attr-defined]
            return not int(tags.get(_NEW_SUBFILE_TYPE) or 0) & _REDUCED
    except UnidentifiedImageError:
        return False


def check_planes(image: Image.Image) -> None:
    """Raise Refused for a TIFF with channels of more than 8 bits in planes: Pillow decodes them as noise."""
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    bits = tags.get(_BITS_PER_SAMPLE) or (1,)
    if tags.get(_PLANAR_CONFIGURATION) == _SEPARATE_PLANES and len(bits) > 1 and max(bits) > _PLANE_BITS:
        raise Refused(
            "unsupported-mode",
            f"The TIFF has channels of {max(bits)} bits in separate planes. Save it with 8 bits per channel.",
        )


def without_wrapped_numbers(image: Image.Image) -> Image.Image:
    """Return the upper 16 bits of unsigned numbers of 32 bits that Pillow takes for signed ones.

    Any other decoded image is returned as it is.
    """
    if image.mode != "I":
        return image
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    unsigned = max(tags.get(_SAMPLE_FORMAT) or (1,)) == 1
    lowest, _ = image.getextrema()
    if not unsigned or float(lowest) >= 0:  # type: ignore[arg-type]
        return image
    numbers = image.tobytes()
    upper = bytearray(len(numbers) // 2)
    first = 2 if sys.byteorder == "little" else 0
    upper[0::2], upper[1::2] = numbers[first::4], numbers[first + 1 :: 4]
    return Image.frombytes("I;16N", image.size, bytes(upper))
