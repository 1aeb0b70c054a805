"""The process in which uploads are decoded: hostile bytes may kill it, and nothing else.

Run as `python -m ketav_common.images_child MEMORY CPU_SECONDS` by `ketav_common.images`. It reads
one JSON object a line from standard input (`source`, `target`: paths) and answers with one a line:
`{"ok": {width, height, media_type, size_bytes}}` or `{"refused": {code, detail}}`.
Only the standard library, Pillow and the limits are imported; of the parent's environment only the paths are
passed on.
"""

import io
import json
import resource
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageFile, ImageOps

from ketav_common.limits import (
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    MAX_IMAGE_SIDE_PIXELS,
    MIN_IMAGE_SIDE_PIXELS,
)

# The usual progressive script has 10; libjpeg itself sets no bound, and each scan walks the whole image.
MAX_JPEG_SCANS = 100

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
_ALPHA_MODES = {"LA": "L", "La": "L", "PA": "RGB", "RGBA": "RGB", "RGBa": "RGB"}


class Refused(Exception):
    """An upload that cannot be a page: a stable code and a sentence for the user."""

    def __init__(self, code: str, detail: str) -> None:
        """Take the stable code and a sentence for people."""
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
    """Return the Pillow format that the first 12 bytes of a file announce; the file's name has no say."""
    if not head:
        raise Refused("empty-file", "The file is empty.")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    raise Refused("unsupported-media-type", "Only JPEG, PNG, TIFF and WebP images are read.")


def check_size(width: int, height: int) -> None:
    """Refuse dimensions (px) that are too large to decode or too small to read."""
    if min(width, height) < MIN_IMAGE_SIDE_PIXELS:
        raise Refused("image-too-small", f"Each side must have at least {MIN_IMAGE_SIDE_PIXELS} pixels.")
    if max(width, height) > MAX_IMAGE_SIDE_PIXELS or width * height > MAX_IMAGE_PIXELS:
        raise _too_large()


def _too_large() -> Refused:
    """Say how many pixels are read at most."""
    return Refused(
        "image-too-large",
        f"At most {MAX_IMAGE_PIXELS // 1_000_000} megapixels and {MAX_IMAGE_SIDE_PIXELS} pixels "
        "a side are read.",
    )


def _check_frames(image: Image.Image, name: str) -> None:
    """Refuse animations and files of several pages; a JPEG's further frames (MPO) are previews."""
    if name == "JPEG":
        return
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return
    raise Refused("multiple-frames", "The file holds more than one image: send its pages one by one.")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring a grey image of 16 or 32 bits a pixel to 8, white staying white."""
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    lowest, highest = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    if lowest < 0 or highest > 65535:  # noqa: PLR2004 - the range of 16 bits
        raise Refused("unsupported-mode", "The image's pixel values are outside 16 bits.")
    unit = 1.0 if image.mode == "F" and highest <= 1.0 else 65535.0 if highest > 255 else 255.0  # noqa: PLR2004
    return image.point(lambda value: value * (255.0 / unit) + 0.0).convert("L")


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
    """Encode as JPEG what was one, anything else as PNG, or as JPEG where a PNG would be too large."""
    image.info.clear()
    for media_type in ("image/jpeg",) if name == "JPEG" else ("image/png", "image/jpeg"):
        buffer = io.BytesIO()
        if media_type == "image/png":
            image.save(buffer, "PNG", compress_level=1)  # a noisy page: half the time of 3, 3 % more bytes
        else:
            image.save(buffer, "JPEG", quality=95, subsampling=0)
        if buffer.tell() <= MAX_IMAGE_BYTES:
            return buffer.getvalue(), media_type
    raise Refused("file-too-large", f"The image takes more than {MAX_IMAGE_BYTES} bytes once it is decoded.")


def _checked(data: bytes, name: str) -> Image.Image:
    """Open and decode, dimensions and checksums first."""
    if name == "JPEG" and data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise Refused("image-too-expensive", f"A JPEG may have at most {MAX_JPEG_SCANS} scans.")
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
        image = plain(_checked(data, name))
        check_size(*image.size)
        encoded, media_type = _encode(image, name)
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except MemoryError as error:
        raise Refused("image-too-expensive", "Decoding the image takes too much memory.") from error
    except Exception as error:  # a decoder fed with hostile bytes raises anything at all
        raise Refused("undecodable-image", f"The file begins like {name} but cannot be decoded.") from error
    target.write_bytes(encoded)
    return Written(*image.size, media_type, len(encoded))


def confine(memory: int) -> None:
    """Bound this process: address space and the largest file in bytes, no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_IMAGE_BYTES, MAX_IMAGE_BYTES))
    if sys.platform == "linux":  # elsewhere the kernel refuses or ignores it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def allow(cpu_seconds: int) -> None:
    """Let this process use so many more seconds of processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + 1 + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer requests until standard input ends."""
    memory, cpu_seconds = int(sys.argv[1]), int(sys.argv[2])
    confine(memory)
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MAX_IMAGE_PIXELS
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    answer: dict[str, object]
    for request in sys.stdin:
        paths = json.loads(request)
        allow(cpu_seconds)
        try:
            answer = {"ok": asdict(write(Path(paths["source"]), Path(paths["target"])))}
        except Refused as refusal:
            answer = {"refused": {"code": refusal.code, "detail": refusal.detail}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
