"""Types of uploaded files, their pages, and images that arrived in part.

Imported by the decoding child alone. A document is a PDF or a TIFF of several pages; every other file is
one page.
"""

import io
from typing import Any, Final

from PIL import Image, ImageChops, ImageFilter

from ketav_common.image_pdf import open_pdf
from ketav_common.image_refusals import Refused, check_size
from ketav_common.image_tiff import open_tiff
from ketav_common.image_types import DOCUMENT_SIGNATURES, has_pdf_header
from ketav_common.limits import MAX_IMAGE_PIXELS, MAX_JOB_PAGES

MAX_JPEG_SCANS: Final = 100
"""Scans of a JPEG: progressive ones usually have 10. libjpeg sets no bound, and each one costs a decoding."""
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    *DOCUMENT_SIGNATURES,
)
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"}
"""Brands of an ISO media file that holds still images of HEVC (ISO/IEC 23008-12)."""
_NEW_SUBFILE_TYPE: Final = 254
"""Tag of a TIFF directory: bit 0 a reduced copy, bit 2 a transparency mask (TIFF 6.0, page 36)."""
_REDUCED_OR_MASK: Final = 0b101
_SUBFILE_TYPE: Final = 255
_REDUCED: Final = 2
_PREVIEW_SHARE: Final = 3
"""A TIFF directory without a type is a preview when another one of its shape is so many times larger."""
_SHAPE_TOLERANCE: Final = 0.03
_COMPARED_COLUMNS: Final = 100
_MAX_COMPARED_ROWS: Final = 1000
_COMPARED_SURROUNDINGS: Final = 8
"""Columns, rows at most, and radius of the surroundings in pixels, when two directories are compared."""
_MIN_CORRELATION: Final = 0.45
"""Correlation of their details from which one is a copy: 0.67 or more of 13 real pages with reduced copies,
at most 0.16 of two of these pages."""
_WHITE: Final = 255
_MAX_DIRECTORIES: Final = 2 * MAX_JOB_PAGES + 2
"""Directories of a TIFF that are looked at: each page with a preview, and two more to notice too many."""
_JPEG_END: Final = b"\xff\xd9"
_MISSING: Final = 128
"""Grey level with which libjpeg fills the blocks that a cut file lacks."""
_MIN_DECODED_SHARE: Final = 0.1
"""Share of its rows that a cut JPEG must have to be a page."""
_BLOCK: Final = 16
"""Pixels of a JPEG's blocks at most, which arrive whole."""


def file_type(head: bytes) -> str:
    """Return the name of the type that the first HEAD_BYTES of a file announce; raises Refused for others."""
    if not head:
        raise Refused("empty-file", "The file is empty. Send a JPEG, PNG, TIFF, WebP, HEIC or PDF file.")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "HEIF"
    if has_pdf_header(head):
        return "PDF"
    raise Refused(
        "unsupported-media-type",
        "The file is not a JPEG, PNG, TIFF, WebP, HEIC or PDF file. Convert it to one of these types.",
    )


def count_pages(data: bytes, name: str) -> int:
    """Return the number of pages of a file, at most one more than a document may have."""
    if name == "PDF":
        with open_pdf(data) as document:
            return min(len(document), MAX_JOB_PAGES + 1)
    if name == "TIFF":
        with open_tiff(data) as image:
            return len(tiff_pages(image))
    return 1


def tiff_pages(image: Image.Image) -> list[int]:
    """Return the directories of a TIFF that hold pages: neither previews nor masks.

    Refused too-many-pages: there are more directories than pages with a preview each can have.
    """
    sizes: dict[int, tuple[int, int]] = {}
    directories = 0
    for number in range(_MAX_DIRECTORIES + 1):
        try:
            image.seek(number)
        except EOFError:
            break
        if number == _MAX_DIRECTORIES:
            raise Refused(
                "too-many-pages",
                f"The TIFF has more than {_MAX_DIRECTORIES} images, with previews and masks. Divide it into "
                f"files of at most {MAX_JOB_PAGES} pages.",
            )
        directories += 1
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        marked = int(tags.get(_NEW_SUBFILE_TYPE) or 0) & _REDUCED_OR_MASK
        if not marked and tags.get(_SUBFILE_TYPE) != _REDUCED:
            sizes[number] = image.size
    pages = [number for number in sizes if not _is_preview(image, number, sizes)]
    return pages or list(range(min(directories, 1)))


def _is_preview(image: Image.Image, number: int, sizes: dict[int, tuple[int, int]]) -> bool:
    """Return whether a directory of a TIFF is a small copy of another one: of its shape, and alike.

    `sizes` are those of the directories in pixels. Of directories that are too large to decode the shapes
    decide.
    """
    shape = sizes[number][0] / sizes[number][1]
    larger = [
        other
        for other, (width, height) in sizes.items()
        if width >= _PREVIEW_SHARE * sizes[number][0] and abs(width / height / shape - 1) < _SHAPE_TOLERANCE
    ]
    return any(
        sizes[other][0] * sizes[other][1] > MAX_IMAGE_PIXELS or _is_alike(image, number, other)
        for other in larger
    )


def _is_alike(image: Image.Image, number: int, other: int) -> bool:
    """Return whether two directories of a TIFF show the same details."""
    small, large = (_details(image, directory) for directory in (number, other))
    spreads = [sum(value**2 for value in details) for details in (small, large)]
    if not all(spreads):
        return spreads == [0, 0]
    common = sum(a * b for a, b in zip(small, large, strict=True))
    return bool(common / (spreads[0] * spreads[1]) ** 0.5 >= _MIN_CORRELATION)


def _details(image: Image.Image, directory: int) -> list[int]:
    """Return how much the pixels of a reduced directory of a TIFF differ from their surroundings."""
    image.seek(directory)
    grey = image.convert("F" if image.mode.startswith(("I", "F")) else "L").convert("F")
    lowest, highest = (float(value) for value in grey.getextrema())  # type: ignore[arg-type]
    scale = _WHITE / (highest - lowest) if highest > lowest else 1.0
    size = (_COMPARED_COLUMNS, max(1, min(_COMPARED_COLUMNS * grey.height // grey.width, _MAX_COMPARED_ROWS)))
    small = grey.resize(size, Image.Resampling.BOX)
    levels = small.point(lambda value: value * scale - lowest * scale).convert("L")
    around = levels.filter(ImageFilter.BoxBlur(_COMPARED_SURROUNDINGS))
    differences = ImageChops.subtract(levels, around, scale=2, offset=128)
    return [value - 128 for value in differences.tobytes()]


def open_jpeg(data: bytes) -> tuple[Image.Image, list[str]]:
    """Return a decoded JPEG with the codes of its warnings; a cut file gives the rows that arrived."""
    if data.count(b"\xff\xda") > MAX_JPEG_SCANS:
        raise Refused(
            "image-too-expensive",
            f"The JPEG has more than {MAX_JPEG_SCANS} scans. Save it as an ordinary JPEG.",
        )
    image = Image.open(io.BytesIO(data), formats=["JPEG"])
    check_size(*image.size)
    try:
        image.load()
    except OSError:
        if _JPEG_END in data[-_BLOCK:]:
            raise
        image = Image.open(io.BytesIO(data + _JPEG_END), formats=["JPEG"])
        progressive = bool(image.info.get("progressive"))
        image.load()
        rows = _arrived_rows(image)
        if rows < _MIN_DECODED_SHARE * image.height:
            raise
        if rows < image.height:
            return image.crop((0, 0, image.width, rows)), ["incomplete-image"]
        return image, ["incomplete-image"] if progressive else []
    return image, []


def _arrived_rows(image: Image.Image) -> int:
    """Return the number of rows whose blocks a cut JPEG has: libjpeg fills the others with one grey."""
    grey = image.convert("RGB")
    fill = Image.new("RGB", grey.size, (_MISSING,) * 3)
    difference = ImageChops.difference(grey, fill).convert("L")
    corner = (max(0, grey.width - _BLOCK // 2), max(0, grey.height - _BLOCK // 2), grey.width, grey.height)
    if difference.crop(corner).getbbox() is not None:
        return grey.height
    box = difference.getbbox()
    return 0 if box is None else box[3] // _BLOCK * _BLOCK
