"""The child process that decodes uploads: hostile bytes may kill it, and nothing else.

`ketav_common.images` starts it. A request names two files, `source` and `target`; the answer is
`{"written": {width, height, media_type, size_bytes}}` or `{"refused": {code, detail}}`. Only the standard
library, Pillow and the limits are imported, so that a new child starts fast.
"""

import io
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageFile, ImageOps

from ketav_common.child_main import Channel, run
from ketav_common.limits import (
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE_PIXELS,
    MIN_IMAGE_SIDE_PIXELS,
)

MAX_JPEG_SCANS: Final = 100
"""Scans of a JPEG: progressive ones usually have 10. libjpeg sets no bound, and each one costs a decoding."""
_MAX_16_BIT: Final = 65535
_MAX_8_BIT: Final = 255
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_GREY_MODES: Final = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
_ALPHA_MODES: Final = {"LA": "L", "La": "L", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB"}


class Refused(Exception):
    """An upload that cannot become a page: a stable code and sentences for the user."""

    def __init__(self, code: str, detail: str) -> None:
        """Take the stable code, what is wrong, and what to do."""
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Written:
    """The facts of a stored image: pixels and bytes."""

    width: int
    height: int
    media_type: str
    size_bytes: int


def file_type(head: bytes) -> str:
    """Return the Pillow format that the first 12 bytes of a file announce; raises Refused for others."""
    if not head:
        raise Refused("empty-file", "The file is empty. Send a JPEG, PNG, TIFF or WebP image.")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    raise Refused(
        "unsupported-media-type",
        "The file is not a JPEG, PNG, TIFF or WebP image. Convert it to one of these types.",
    )


def check_size(width: int, height: int) -> None:
    """Raise Refused for dimensions (px) that are too large to decode or too small to read."""
    if min(width, height) < MIN_IMAGE_SIDE_PIXELS:
        raise Refused(
            "image-too-small",
            f"The image has {width} x {height} pixels; each side needs at least {MIN_IMAGE_SIDE_PIXELS}. "
            "Scan the page at a higher resolution.",
        )
    if max(width, height) > MAX_IMAGE_SIDE_PIXELS or width * height > MAX_IMAGE_PIXELS:
        raise _too_large()


def _too_large() -> Refused:
    """Return the refusal of an image with too many pixels."""
    return Refused(
        "image-too-large",
        f"The image has more than {MAX_IMAGE_PIXELS // 1_000_000} megapixels, or a side has more than "
        f"{MAX_IMAGE_SIDE_PIXELS:,} pixels. Scale it down; 300 dpi suffices.",
    )


def _check_frames(image: Image.Image, name: str) -> None:
    """Raise Refused for animations and files of several pages; a JPEG's further frames (MPO) are previews."""
    if name == "JPEG":
        return
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return
    raise Refused(
        "multiple-frames", "The file holds more than one image. Send each page as a file of its own."
    )


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale a grey image of 16 or 32 bits for each pixel to 8 bits; white stays white.

    Raises Refused when a value is negative or needs more than 16 bits.
    """
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    lowest, highest = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    if lowest < 0 or highest > _MAX_16_BIT:
        raise Refused(
            "unsupported-mode",
            "The image's pixel values are outside 16 bits. Save it with 8 bits per channel.",
        )
    if image.mode == "F" and highest <= 1.0:
        white = 1.0
    else:
        white = float(_MAX_16_BIT if highest > _MAX_8_BIT else _MAX_8_BIT)
    return image.point(lambda value: value * (_MAX_8_BIT / white) + 0.0).convert("L")


def plain(image: Image.Image) -> Image.Image:
    """Return the image upright as 8-bit grey or RGB, transparency on white, without any metadata."""
    image = ImageOps.exif_transpose(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return _eight_bits(image)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in _ALPHA_MODES:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        return paper.convert(_ALPHA_MODES[image.mode])
    return image.convert("L" if image.mode in _GREY_MODES else "RGB")


def _encode(image: Image.Image, name: str) -> tuple[bytes, str]:
    """Encode what was a JPEG as JPEG, any other image as PNG, or as JPEG where the PNG would be too large."""
    image.info.clear()
    for media_type in ("image/jpeg",) if name == "JPEG" else ("image/png", "image/jpeg"):
        buffer = io.BytesIO()
        if media_type == "image/png":
            image.save(buffer, "PNG", compress_level=1)  # a noisy page: half the time of 3, 3 % more bytes
        else:
            image.save(buffer, "JPEG", quality=95, subsampling=0)
        if buffer.tell() <= MAX_IMAGE_BYTES:
            return buffer.getvalue(), media_type
    raise Refused(
        "file-too-large",
        f"The image takes more than {MAX_IMAGE_BYTES:,} bytes when it is stored. Scale it down.",
    )


def _decoded(data: bytes, name: str) -> Image.Image:
    """Check dimensions and checksums of a file, then decode it."""
    if name == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise Refused(
            "image-too-expensive",
            f"The JPEG has more than {MAX_JPEG_SCANS} scans. Save it as an ordinary JPEG.",
        )
    image = Image.open(io.BytesIO(data), formats=[name])
    check_size(*image.size)
    if name == "PNG":
        image.verify()
        image = Image.open(io.BytesIO(data), formats=[name])
    _check_frames(image, name)
    image.load()
    return image


def write(source: Path, target: Path) -> Written:
    """Decode the upload at `source` and write it, normalised, to `target`."""
    data = source.read_bytes()
    name = file_type(data[:12])
    try:
        image = plain(_decoded(data, name))
        check_size(*image.size)
        encoded, media_type = _encode(image, name)
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except MemoryError as error:
        raise Refused(
            "image-too-expensive", "Decoding the image takes too much memory. Scale it down."
        ) from error
    except Exception as error:  # a decoder fed with hostile bytes raises anything at all
        raise Refused(
            "undecodable-image",
            f"The file begins like {name} but cannot be decoded. Save it again as JPEG or PNG.",
        ) from error
    target.write_bytes(encoded)
    return Written(*image.size, media_type, len(encoded))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to one request."""
    try:
        return {"written": asdict(write(Path(request["source"]), Path(request["target"])))}
    except Refused as refusal:
        return {"refused": {"code": refusal.code, "detail": refusal.detail}}


def serve(channel: Channel) -> None:
    """Answer requests until the parent closes the channel."""
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    while True:
        request = channel.receive()
        if request is not None:
            channel.send(_answer(request.message))


if __name__ == "__main__":
    run(serve)
