"""Images of the kinds that people have are stored as dark writing on light paper, or refused by name."""

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from ketav_common.errors import InvalidInput
from ketav_common.images import ImageNormaliser, NormalisedImage
from tests.parts import image_kinds as kinds


@pytest.fixture
async def images() -> AsyncIterator[ImageNormaliser]:
    """Run one decoding process."""
    async with ImageNormaliser(workers=1) as normaliser:
        yield normaliser


async def normalise(
    images: ImageNormaliser, folder: Path, data: bytes, page: int | None = None, turn: int = 0
) -> NormalisedImage:
    """Normalise a page of a file."""
    (folder / "source").write_bytes(data)
    return await images.normalise(folder / "source", folder / "target", page=page, turn=turn)


def grey(path: Path) -> Image.Image:
    """Return a stored image as grey."""
    with Image.open(path) as image:
        return image.convert("L")


def tones(image: Image.Image) -> tuple[int, int]:
    """Return the darkest level and the median: ink and paper."""
    histogram, below = image.histogram(), 0
    darkest = next(level for level, count in enumerate(histogram) if count)
    for level, count in enumerate(histogram):
        below += count
        if below >= sum(histogram) / 2:
            return darkest, level
    raise AssertionError("a histogram has a median")


def shows_dark_writing(path: Path) -> bool:
    """Return whether a stored image has dark ink on light paper."""
    darkest, median = tones(grey(path))
    return darkest < 90 and median > 190


WHITE_INK = kinds.written()
WHITE_INK.putalpha(ImageOps.invert(ImageOps.grayscale(kinds.written())).point(lambda v: 255 if v > 99 else 0))
WHITE_INK.paste((255, 255, 255), (0, 0, *WHITE_INK.size), WHITE_INK.getchannel("A"))


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(ImageOps.invert(kinds.written()), id="negative"),
        pytest.param(kinds.written(ink=(240, 235, 180), paper=(30, 70, 50)), id="blackboard"),
        pytest.param(kinds.written(ink=(255, 255, 255), paper=(0, 0, 0), stroke=1), id="thin white lines"),
        pytest.param(ImageOps.invert(kinds.written((600, 60), stroke=4)), id="one line"),
        pytest.param(WHITE_INK, id="white ink on a transparent ground"),
        pytest.param(
            kinds.darkened(kinds.written(ink=(240, 235, 180), paper=(30, 70, 50)), 0.4), id="dark blackboard"
        ),
    ],
)
async def test_light_writing_becomes_dark_and_the_image_says_so(
    images: ImageNormaliser, tmp_path: Path, image: Image.Image
) -> None:
    """Negatives, blackboards, white ink, pages and lines."""
    done = await normalise(images, tmp_path, kinds.saved(image, "PNG"))
    assert "inverted" in done.normalised
    assert shows_dark_writing(done.path)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(kinds.written(), id="page"),
        pytest.param(kinds.written(stroke=7), id="bold page"),
        pytest.param(kinds.written((600, 60), stroke=5), id="bold line"),
        pytest.param(ImageOps.expand(kinds.written(), 150, (40, 30, 25)), id="page on a dark table"),
        pytest.param(kinds.written(ink=(60, 45, 30), paper=(150, 120, 85)), id="brown paper"),
        pytest.param(Image.new("RGB", (200, 100), (20, 20, 20)), id="nothing but black"),
    ],
)
async def test_dark_writing_is_not_inverted(
    images: ImageNormaliser, tmp_path: Path, image: Image.Image
) -> None:
    """Whatever the share of dark pixels."""
    assert "inverted" not in (await normalise(images, tmp_path, kinds.saved(image, "PNG"))).normalised


@pytest.mark.parametrize("form", ["TIFF", "PNG"])
@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 16])
async def test_grey_of_9_to_16_bits_is_scaled_by_the_bits_in_use(
    images: ImageNormaliser, tmp_path: Path, bits: int, form: str
) -> None:
    """Scanners and cameras write their 10 or 12 bits into 16."""
    done = await normalise(images, tmp_path, kinds.grey_of_bits(bits, form))
    assert tones(grey(done.path)) == pytest.approx((31, 248), abs=8)
    assert ("depth-scaled" in done.normalised) == (bits < 16)


@pytest.mark.parametrize("scale", [1.0, 255.0, 4095.0, -1.0])
async def test_a_float_image_is_scaled_by_its_range(
    images: ImageNormaliser, tmp_path: Path, scale: float
) -> None:
    """0 to 1, 0 to 255, 0 to 4095, and -1 to 1."""
    factor, offset = (2 / 255, -1.0) if scale < 0 else (scale / 255, 0.0)
    page = ImageOps.grayscale(kinds.written()).convert("F").point(lambda value: value * factor + offset)
    done = await normalise(images, tmp_path, kinds.saved(page, "TIFF"))
    assert shows_dark_writing(done.path)


async def test_a_float_image_with_a_pixel_that_is_not_a_number_is_refused(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """By name."""
    page = Image.new("F", (32, 32), 1.0)
    page.putpixel((3, 3), math.nan)
    with pytest.raises(InvalidInput) as refused:
        await normalise(images, tmp_path, kinds.saved(page, "TIFF"))
    assert refused.value.code == "unsupported-mode"


@pytest.mark.parametrize("share", [0.12, 0.2, 0.3])
async def test_a_very_dark_photograph_is_brightened(
    images: ImageNormaliser, tmp_path: Path, share: float
) -> None:
    """A page with 12 % of its light has white paper again."""
    image = kinds.darkened(kinds.written(), share)
    done = await normalise(images, tmp_path, kinds.saved(image, "JPEG", quality=92))
    assert done.normalised == ("brightened",)
    assert shows_dark_writing(done.path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
async def test_a_jpeg_without_its_end_marker_is_read_whole(
    images: ImageNormaliser, tmp_path: Path, options: dict[str, object]
) -> None:
    """Nothing is missing but two bytes; of a progressive one that is not known."""
    data = kinds.saved(kinds.written(), "JPEG", quality=90, **options)
    done = await normalise(images, tmp_path, data.removesuffix(b"\xff\xd9"))
    assert (done.width, done.height) == (400, 280)
    assert done.warnings == (("incomplete-image",) if options.get("progressive") else ())
    assert shows_dark_writing(done.path)


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
async def test_a_cut_jpeg_gives_its_rows_and_a_warning(
    images: ImageNormaliser, tmp_path: Path, share: float
) -> None:
    """The grey rows that libjpeg makes up are not stored."""
    data = kinds.saved(kinds.written(), "JPEG", quality=90)
    done = await normalise(images, tmp_path, data[: round(len(data) * share)])
    assert done.warnings == ("incomplete-image",)
    assert 0.2 * 280 < done.height < 280
    assert shows_dark_writing(done.path)


async def test_a_jpeg_that_is_cut_before_its_first_rows_is_refused(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """There is nothing to read."""
    data = kinds.saved(kinds.written(), "JPEG", quality=90)
    with pytest.raises(InvalidInput) as refused:
        await normalise(images, tmp_path, data[: data.index(b"\xff\xda") + 40])
    assert refused.value.code == "undecodable-image"


PAGE = kinds.written()
PREVIEW = PAGE.resize((100, 70))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(kinds.tiff([(PAGE, {}), (PREVIEW, {254: 1})]), id="preview behind the page"),
        pytest.param(kinds.tiff([(PREVIEW, {254: 1}), (PAGE, {})]), id="preview before the page"),
        pytest.param(kinds.tiff([(PAGE, {}), (PREVIEW, {})]), id="preview without a mark"),
        pytest.param(kinds.tiff([(PAGE, {}), (PREVIEW, {255: 2})]), id="preview with the older mark"),
        pytest.param(kinds.tiff([(PAGE, {}), (PAGE.convert("1"), {254: 4})]), id="transparency mask"),
        pytest.param(kinds.tiff_in_sub_ifd(PAGE, PREVIEW), id="page in a SubIFD of its preview"),
        pytest.param(kinds.big_tiff(), id="BigTIFF"),
        pytest.param(kinds.big_tiff(">"), id="big-endian BigTIFF"),
        pytest.param(kinds.planar_tiff(8), id="TIFF with channels in planes"),
        pytest.param(kinds.saved(PAGE, "HEIF", quality=95), id="HEIC"),
        pytest.param(kinds.pdf([PAGE]), id="PDF"),
        pytest.param(b"\xef\xbb\xbf" + kinds.pdf([PAGE]), id="PDF behind a byte order mark"),
        pytest.param(b"\r\n\r\n" + kinds.pdf([PAGE]), id="PDF behind line feeds"),
        pytest.param(b"X-Mailer: a\r\n" * 70 + kinds.pdf([PAGE]), id="PDF behind the headers of a mail"),
    ],
)
async def test_a_file_with_one_page_is_that_page(
    images: ImageNormaliser, tmp_path: Path, data: bytes
) -> None:
    """Previews and masks are no pages."""
    (tmp_path / "source").write_bytes(data)
    assert await images.count_pages(tmp_path / "source") == 1
    done = await normalise(images, tmp_path, data)
    assert done.width / done.height == pytest.approx(400 / 280, rel=0.01)
    assert done.width >= 400
    assert shows_dark_writing(done.path)


@pytest.mark.parametrize("scale", [3, 4, 8])
async def test_a_page_of_a_low_resolution_is_no_preview_of_another_page(
    images: ImageNormaliser, tmp_path: Path, scale: int
) -> None:
    """It has the shape of a preview and is not marked as one, but it shows something else."""
    large = kinds.written((280 * scale, 400 * scale), stroke=2 * scale)
    other = Image.new("RGB", (280, 400), kinds.PAPER)
    other.paste(kinds.written((280, 200)), (0, 200))
    data = kinds.tiff([(large, {}), (other, {})])
    (tmp_path / "source").write_bytes(data)
    assert await images.count_pages(tmp_path / "source") == 2


@pytest.mark.parametrize("count", [2, 20])
@pytest.mark.parametrize("form", ["TIFF", "PDF"])
async def test_a_document_is_split_into_its_pages(
    images: ImageNormaliser, tmp_path: Path, form: str, count: int
) -> None:
    """In their order; the second page is the one that is higher than wide."""
    pages = [PAGE, PAGE.rotate(90, expand=True), *[PAGE] * 18][:count]
    data = kinds.pdf(pages) if form == "PDF" else kinds.tiff([(page, {}) for page in pages])
    (tmp_path / "source").write_bytes(data)
    assert await images.count_pages(tmp_path / "source") == count
    done = [await normalise(images, tmp_path, data, page) for page in range(2)]
    assert [image.width > image.height for image in done] == [True, False]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(kinds.empty_pdf(), "empty-pdf", id="no pages"),
        pytest.param(kinds.encrypted_pdf(), "encrypted-pdf", id="encrypted"),
        pytest.param(b"%PDF-1.7\n" + bytes(999), "broken-pdf", id="signature alone"),
        pytest.param(kinds.pdf([PAGE])[:300], "broken-pdf", id="cut"),
    ],
)
async def test_a_pdf_that_cannot_be_read_is_refused_by_name(
    images: ImageNormaliser, tmp_path: Path, data: bytes, code: str
) -> None:
    """Without a file."""
    (tmp_path / "source").write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        await images.count_pages(tmp_path / "source")
    assert refused.value.code == code


@pytest.mark.parametrize("turn", [90, 180, 270])
async def test_an_image_is_turned_clockwise_on_request(
    images: ImageNormaliser, tmp_path: Path, turn: int
) -> None:
    """Its left upper corner goes clockwise."""
    page = Image.new("RGB", (96, 64), "white")
    page.paste((0, 0, 0), (0, 0, 10, 10))
    done = await normalise(images, tmp_path, kinds.saved(page, "PNG"), turn=turn)
    assert done.normalised == (f"turned-{turn}",)
    corner = {90: (60, 3), 180: (92, 60), 270: (3, 92)}[turn]
    assert grey(done.path).getpixel(corner) == 0


async def test_the_pages_of_a_big_endian_bigtiff_are_like_those_of_a_little_endian_one(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """Its pixels are where they were, and all its pages are counted."""
    (tmp_path / "source").write_bytes(kinds.big_tiff(">", pages=3))
    assert await images.count_pages(tmp_path / "source") == 3
    little, big = [
        (await normalise(images, tmp_path, kinds.big_tiff(order))).size_bytes for order in ("<", ">")
    ]
    assert little == big


def big_endian(change: tuple[int, bytes]) -> bytes:
    """Return a big-endian BigTIFF with some bytes replaced at an offset, from the end if it is negative."""
    file = bytearray(kinds.big_tiff(">"))
    offset, content = change
    start = offset if offset >= 0 else len(file) + offset
    file[start : start + len(content)] = content
    return bytes(file)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((4, b"\0\4"), id="offsets of 4 bytes"),
        pytest.param((8, b"\xff" * 8), id="directory beyond the end"),
        pytest.param((-216, b"\0\0\0\0\0\1\0\0"), id="too many entries"),
        pytest.param((-206, b"\x7f\xff"), id="unknown type"),
        pytest.param((-204, b"\0\0\1\0\0\0\0\0"), id="values beyond the end"),
    ],
)
async def test_a_damaged_big_endian_bigtiff_is_refused(
    images: ImageNormaliser, tmp_path: Path, change: tuple[int, bytes]
) -> None:
    """Whatever its header or a directory says."""
    with pytest.raises(InvalidInput) as raised:
        await normalise(images, tmp_path, big_endian(change))
    assert raised.value.code == "undecodable-image"


async def test_channels_of_sixteen_bits_in_planes_are_refused_by_name(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """Pillow would decode them as noise."""
    with pytest.raises(InvalidInput, match="16 bits in separate planes") as raised:
        await normalise(images, tmp_path, kinds.planar_tiff(16))
    assert raised.value.code == "unsupported-mode"


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        pytest.param(
            kinds.tiff_of_numbers(3, 64), "floating-point numbers of 64 bits", id="floats of 64 bits"
        ),
        pytest.param(
            kinds.tiff_of_numbers(3, 16), "floating-point numbers of 16 bits", id="floats of 16 bits"
        ),
        pytest.param(
            kinds.tiff_of_numbers(3, 32, 3), "floating-point numbers of 32 bits", id="colour floats"
        ),
        pytest.param(kinds.tiff_of_numbers(1, 64), "whole numbers of 64 bits", id="whole numbers of 64 bits"),
        pytest.param(kinds.tiff_in_sub_ifd(PAGE, PREVIEW, photometric=32803), "raw data", id="raw data"),
    ],
)
async def test_pixels_that_are_not_read_are_refused_by_name(
    images: ImageNormaliser, tmp_path: Path, data: bytes, detail: str
) -> None:
    """Not as a damaged file, and a preview is not read in place of its page."""
    with pytest.raises(InvalidInput, match=detail) as raised:
        await normalise(images, tmp_path, data)
    assert raised.value.code == "unsupported-mode"
