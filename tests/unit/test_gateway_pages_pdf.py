"""Searchable PDFs: their text comes out in logical order, and their images are the stored ones."""

import io
import shutil
import subprocess
import unicodedata
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from ketav.page.v1 import page_pb2
from ketav_common.errors import DataLoss
from ketav_gateway.pages.pdf import PdfWriter
from ketav_gateway.pages.schemas import Page
from tests.parts.exported_pages import line, page

WIDTH, HEIGHT, PITCH, LETTER = 1000, 1500, 60, 20
TEXTS = [
    "שלום עולם",
    "היום 25 בנובמבר, שנת 1948.",
    'ד"ר כהן (רופא) אמר: "לא!"',
    "שָׁלוֹם לְכוּלָם",
    "12.3.24",
    "מחיר 100 ₪ ליחידה",
    "בית־ספר – ירושלים",
    "א) סעיף ראשון",
    "ב-1948 היה",
    "(1) פתיחה",
    "שעה 12:30 בערב, 50%",
    "רחוב הרצל 5, תל־אביב",
    "12 34 56 מספרים",
    "5. חמישי",
    "מכתב ל-Anna מחיפה",
    "Latin",
    "סוף",
]


def written_page(texts: list[str], slope: float = 0.0, media_type: str = "image/png") -> Page:
    """Return a page whose lines have these texts and rise by a share of their length."""
    lines = []
    for order, text in enumerate(texts):
        item = line(0, unicodedata.normalize("NFC", text))
        item.order, item.line_id = order, f"00000000-0000-4000-8000-{order:012}"
        left, right, top = WIDTH - 50 - LETTER * len(text), WIDTH - 50, PITCH * order + 40
        fall = round(slope * (right - left))
        corners = [(left, top + fall), (right, top), (right, top + 45), (left, top + 45 + fall)]
        del item.baseline[:], item.boundary[:]
        item.boundary.extend(page_pb2.Point(x=x, y=y) for x, y in corners)
        item.baseline.extend(page_pb2.Point(x=x, y=y + 10) for x, y in corners[:2])
        lines.append(item)
    plain = page(*lines)
    image = plain.image.model_copy(update={"width": WIDTH, "height": HEIGHT, "media_type": media_type})
    return plain.model_copy(update={"image": image})


def pdf(pages: list[tuple[Page, Path]]) -> bytes:
    """Return the PDF of pages with their image files."""
    writer = PdfWriter("יומן")
    chunks = [writer.begin()]
    for item, image in pages:
        chunks += writer.page(item, image)
    return b"".join([*chunks, *writer.end()])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Write an image with noise, as PNG."""
    Image.effect_noise((WIDTH, HEIGHT), 40).convert("RGB").save(tmp_path / "image.png", compress_level=1)
    return tmp_path / "image.png"


def lines_of(text: str) -> list[str]:
    """Return the lines of an extracted text without the marks of direction that programs add."""
    visible = ("".join(c for c in row if unicodedata.category(c) != "Cf") for row in text.splitlines())
    return [unicodedata.normalize("NFC", row.strip()) for row in visible if row.strip()]


def by_pdfium(content: bytes, number: int = 0) -> list[str]:
    """Return the lines that PDFium extracts from a page."""
    with pypdfium2.PdfDocument(content) as document:
        return lines_of(document[number].get_textpage().get_text_bounded())


def by_poppler(path: Path) -> list[str]:
    """Return the lines that poppler's pdftotext extracts."""
    ran = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", str(path), "-"], capture_output=True, check=True, timeout=30
    )
    assert ran.stderr == b""
    return lines_of(ran.stdout.decode())


EXPECTED = [unicodedata.normalize("NFC", text) for text in TEXTS]


@pytest.mark.parametrize("slope", [0.0, 0.03, -0.03, 0.1])
def test_pdfium_extracts_the_text_in_logical_order(image: Path, slope: float) -> None:
    """Numbers, brackets, points and Latin words are where a reader expects them, also on inclined lines."""
    assert by_pdfium(pdf([(written_page(TEXTS, slope), image)])) == EXPECTED


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
@pytest.mark.parametrize("slope", [0.0, 0.03, -0.03, 0.1])
def test_poppler_extracts_the_text_in_logical_order(tmp_path: Path, image: Path, slope: float) -> None:
    """The same lines; a Latin phrase, which PDFium reverses, keeps its order as well."""
    phrase = "עם Hello World באמצע"
    path = tmp_path / "page.pdf"
    path.write_bytes(pdf([(written_page([*TEXTS, phrase], slope), image)]))
    assert by_poppler(path) == [*EXPECTED, phrase]


@pytest.mark.parametrize(
    ("ends", "begins_at"), [([(50, 600), (50, 200)], 250), ([(70, 200), (70, 600)], 550)], ids=["up", "down"]
)
def test_turned_writing_is_over_its_ink(image: Path, ends: list[tuple[int, int]], begins_at: int) -> None:
    """A note along the margin runs up or down the page; its first word is where the line begins."""
    item = line(0, "שלום עולם טוב")
    del item.baseline[:], item.boundary[:]
    item.boundary.extend(page_pb2.Point(x=x, y=y) for x, y in [(40, 200), (80, 200), (80, 600), (40, 600)])
    item.baseline.extend(page_pb2.Point(x=x, y=y) for x, y in ends)
    plain = page(item)
    size = plain.image.model_copy(update={"width": WIDTH, "height": HEIGHT, "media_type": "image/png"})
    with pypdfium2.PdfDocument(pdf([(plain.model_copy(update={"image": size}), image)])) as document:
        textpage = document[0].get_textpage()
        boxes = [textpage.get_charbox(index) for index in range(textpage.count_chars())]
        text = textpage.get_text_range()
    scale = 72 / 200
    left, bottom, right, top = boxes[text.index("ש")]
    assert 35 * scale < left < right < 90 * scale
    assert HEIGHT - (bottom + top) / 2 / scale == pytest.approx(begins_at, abs=60)


def test_words_whose_ink_nearly_touches_stay_apart(tmp_path: Path, image: Path) -> None:
    """A pixel between words, as in narrow handwriting, is a space for PDFium and poppler."""
    crowded = written_page(["בוקר טוב לכולם", "היום למד לקרוא כתב יד"])
    for item in crowded.transcription.lines if crowded.transcription else []:
        for word, following in pairwise(item.words):
            left, right = min(x for x, _ in word.boundary), max(x for x, _ in following.boundary)
            word.boundary[:] = [(right + 1 if x == left else x, y) for x, y in word.boundary]
    content = pdf([(crowded, image)])
    assert by_pdfium(content) == ["בוקר טוב לכולם", "היום למד לקרוא כתב יד"]
    (tmp_path / "page.pdf").write_bytes(content)
    if shutil.which("pdftotext"):
        assert by_poppler(tmp_path / "page.pdf") == ["בוקר טוב לכולם", "היום למד לקרוא כתב יד"]


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", "png"), ("L", "png"), ("RGB", "jpeg"), ("L", "jpeg")])
def test_the_image_of_a_page_is_the_stored_one(tmp_path: Path, mode: str, suffix: str) -> None:
    """Of both types, in colours and grey: rendered at its own size it has the same pixels."""
    path = tmp_path / f"image.{suffix}"
    picture = Image.effect_noise((WIDTH, HEIGHT), 60).convert(mode)
    picture.save(path)
    content = pdf([(written_page([], media_type=f"image/{suffix}"), path)])
    with pypdfium2.PdfDocument(content) as document:
        [picture_object] = document[0].get_objects()
        extracted = picture_object.get_bitmap().to_pil().convert(mode)
    assert extracted.size == (WIDTH, HEIGHT)
    assert list(extracted.resize((9, 9)).tobytes()) == pytest.approx(
        list(Image.open(path).resize((9, 9)).tobytes()), abs=2
    )


def test_the_text_is_invisible_and_over_its_ink(image: Path) -> None:
    """A search finds a word where it is written; the rendered page is the image alone."""
    content, empty = (pdf([(written_page(texts), image)]) for texts in (TEXTS, []))
    with pypdfium2.PdfDocument(content) as document, pypdfium2.PdfDocument(empty) as bare:
        assert document[0].render().to_pil().tobytes() == bare[0].render().to_pil().tobytes()
        textpage = document[0].get_textpage()
        match = textpage.search("סוף").get_next()
        left, bottom, right, top = textpage.get_charbox(match[0])
    scale = 72 / 200
    line_top = HEIGHT * scale - (PITCH * (len(TEXTS) - 1) + 40) * scale
    assert line_top - 45 * scale < (bottom + top) / 2 < line_top
    assert (WIDTH - 50 - 3 * LETTER) * scale - 1 < left < right < (WIDTH - 50) * scale + 1


def test_pages_follow_each_other_and_have_the_title(image: Path) -> None:
    """Each with its own text; a page may have none."""
    content = pdf(
        [(written_page(["ראשון"]), image), (written_page([]), image), (written_page(["שלישי"]), image)]
    )
    with pypdfium2.PdfDocument(content) as document:
        assert len(document) == 3
        assert document.get_metadata_dict()["Title"] == "יומן"
    assert [by_pdfium(content, number) for number in range(3)] == [["ראשון"], [], ["שלישי"]]


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
def test_a_file_that_is_not_the_stored_image_is_data_loss(tmp_path: Path, media_type: str) -> None:
    """An empty or damaged object, or an interlaced PNG, which the gateway never writes."""
    path = tmp_path / "image"
    for damaged in (b"", b"\x89PNG\r\n\x1a\nxxxx", io.BytesIO(b"\xff\xd8\xff\xe0\x00\x02").getvalue()):
        path.write_bytes(damaged)
        with pytest.raises(DataLoss):
            pdf([(written_page([], media_type=media_type), path)])
