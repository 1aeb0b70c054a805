"""The child process that decodes uploads: hostile bytes may kill it, and nothing else.

`ketav_common.images` starts it. A request is `{count}`, the path of a file whose pages are counted, or
`{crop}`, the path of a stored image of which `boxes` are written, or names two files, `source` and
`target`, with the page and the turn. The answer is `{pages}`, `{cropped}`, `{written: …}` or
`{refused: {code, detail}}`.
Only the standard library, Pillow and the limits are imported at the start, so that a new child starts fast.
"""

import io
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from PIL import Image, ImageFile, ImageOps

from ketav_common import image_crops, image_files, image_pdf, image_tiff, image_tones
from ketav_common.child_main import Channel, run
from ketav_common.image_big_tiff import as_tiff
from ketav_common.image_refusals import Refused, check_size, too_large
from ketav_common.image_turning import turned
from ketav_common.image_types import HEAD_BYTES
from ketav_common.limits import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS

Result = TypeVar("Result")

_GREY_MODES: Final = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
_ALPHA_MODES: Final = {"LA": "L", "La": "L", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB"}
_MULTIPLE_FRAMES: Final = "The file holds more than one image. Send each page as a file of its own."


@dataclass(frozen=True)
class Written:
    """The facts of a stored image: pixels and bytes, the codes of what was changed and of what is missing."""

    width: int
    height: int
    media_type: str
    size_bytes: int
    normalised: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class _Plain:
    """An image as it is stored, with the codes of what was changed."""

    image: Image.Image
    normalised: list[str]


def _plain(image: Image.Image) -> _Plain:
    """Return the image upright as 8-bit grey or RGB, dark writing on light ground, without transparency."""
    image = ImageOps.exif_transpose(image)
    changes: list[str] = []
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        image, scaled = image_tones.to_eight_bits(image)
        changes += ["depth-scaled"] if scaled else []
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in _ALPHA_MODES:
        mode = _ALPHA_MODES[image.mode]
        image = image_tones.without_transparency(image.convert("RGBA")).convert(mode)
    else:
        image = image.convert("L" if image.mode in _GREY_MODES else "RGB")
    image, toned = image_tones.with_dark_writing(image)
    return _Plain(image, changes + toned)


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


def _decoded(data: bytes, name: str, page: int | None) -> tuple[Image.Image, list[str]]:
    """Check dimensions and checksums of a file, then decode a page of it; return the codes of warnings.

    `page` counts from 0; None refuses a file of several pages.
    """
    if page is None and image_files.count_pages(data, name) > 1:
        raise Refused("multiple-frames", _MULTIPLE_FRAMES)
    if name == "PDF":
        return image_pdf.render_pdf_page(data, page or 0)
    if name == "JPEG":
        return image_files.open_jpeg(data)
    if name == "HEIF":
        import pi_heif

        pi_heif.register_heif_opener()
    if name == "TIFF":
        image = image_tiff.open_tiff(image_tiff.with_full_image(data))
        image.seek(image_files.tiff_pages(image)[page or 0])
        image_tiff.check_planes(image)
    else:
        image = Image.open(io.BytesIO(data), formats=[name])
    check_size(*image.size)
    if name == "PNG":
        image.verify()
        image = Image.open(io.BytesIO(data), formats=[name])
    if name in {"PNG", "WEBP"}:
        _check_frames(image)
    image.load()
    return image_tiff.without_wrapped_numbers(image) if name == "TIFF" else image, []


def _check_frames(image: Image.Image) -> None:
    """Raise Refused for animations; the further frames of a JPEG (MPO) or HEIC are previews or a burst."""
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return
    raise Refused("multiple-frames", _MULTIPLE_FRAMES)


def write(source: Path, target: Path, page: int | None = None, turn: int = 0) -> Written:
    """Decode a page of the upload at `source`, turn it clockwise by degrees, write it to `target`."""
    file = source.read_bytes()
    name = image_files.file_type(file[:HEAD_BYTES])

    def steps() -> tuple[bytes, Written]:
        """Decode, normalise and encode."""
        image, flaws = _decoded(as_tiff(file), name, page)
        plain = _plain(image)
        upright = turned(plain.image, turn)
        check_size(*upright.size)
        encoded, media_type = _encode(upright, name)
        code = f"turned-{turn % 360}" if turn % 90 == 0 else "deskewed"
        codes = plain.normalised + ([code] if turn else [])
        return encoded, Written(*upright.size, media_type, len(encoded), codes, flaws)

    encoded, written = _refusing(name, steps)
    target.write_bytes(encoded)
    return written


def count(source: Path) -> int:
    """Return the number of pages of the upload at `source`; raises Refused."""
    data = source.read_bytes()
    name = image_files.file_type(data[:HEAD_BYTES])
    return _refusing(name, lambda: image_files.count_pages(as_tiff(data), name))


def _refusing(name: str, steps: Callable[[], Result]) -> Result:
    """Call the steps of a decoding; raises Refused for everything that a decoder raises."""
    try:
        return steps()
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large() from error
    except MemoryError as error:
        raise Refused(
            "image-too-expensive", "Decoding the image takes too much memory. Scale it down."
        ) from error
    except Exception as error:  # a decoder fed with hostile bytes raises anything at all
        if name == "PDF":
            raise image_pdf.broken_pdf() from error
        raise Refused(
            "undecodable-image",
            f"The file begins like {name} but cannot be decoded. Save it again as JPEG or PNG.",
        ) from error


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the response to one request."""
    try:
        if "count" in request:
            return {"pages": count(Path(request["count"]))}
        if "crop" in request:
            source, folder = Path(request["crop"]), Path(request["folder"])
            boxes, height = request["boxes"], request["height"]
            _refusing("a stored image", lambda: image_crops.crop(source, boxes, height, folder))
            return {"cropped": len(boxes)}
        source, target = Path(request["source"]), Path(request["target"])
        return {"written": asdict(write(source, target, request["page"], request["turn"]))}
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
