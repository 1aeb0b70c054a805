"""Exports: well-formed, in logical order, with what the user wrote."""

import json
from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from ketav_gateway.ground_truth.xml_documents import parse_xml
from ketav_gateway.pages import exports
from ketav_gateway.pages.regions import confident_page
from ketav_gateway.pages.schemas import Page
from tests.parts.exported_pages import in_region, line, page, word_boxes

MARKUP = '</Unicode> & "<script>"'
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
HTML = "{http://www.w3.org/1999/xhtml}"


def parsed(document: bytes) -> ET.Element:
    """Parse what was written here; a document that is not well-formed raises."""
    return ET.fromstring(document)  # noqa: S314 - our own output


READ = page(line(1, MARKUP), line(0, "שלום", "שלומות"), line(2, "א\u0001ב"))
EMPTY = READ.model_copy(update={"transcription": None, "state": "stored"})


def test_plain_text_has_a_line_per_line_and_the_correction() -> None:
    """Reading order, corrections first, a line feed after each."""
    assert exports.to_txt(READ).decode() == f"שלומות\n{MARKUP}\nא\u0001ב\n"


def test_json_is_the_page_as_the_api_shows_it() -> None:
    """The same shape."""
    assert json.loads(exports.to_json(READ)) == READ.model_dump(mode="json")


def test_alto_has_lines_with_places_and_texts() -> None:
    """ALTO 4: pixels, extents, polygons, a string for each word; markup is text, controls are replaced."""
    root = parsed(exports.to_alto(READ))
    assert root.tag == f"{ALTO}alto"
    assert root.findtext(f"{ALTO}Description/{ALTO}MeasurementUnit") == "pixel"
    strings = list(root.iter(f"{ALTO}String"))
    assert [string.get("CONTENT") for string in strings] == ["שלומות", *MARKUP.split(), "א\ufffdב"]
    first = next(root.iter(f"{ALTO}TextLine"))
    assert [first.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["8", "0", "84", "40"]
    assert first.get("BASELINE") == "10,5 90,7"


def test_page_xml_has_coordinates_baselines_and_texts() -> None:
    """PAGE 2019: right to left, reading order by position and by its own mark."""
    root = parsed(exports.to_page(READ))
    assert root.tag == f"{PAGE}PcGts"
    lines = root.iter(f"{PAGE}TextLine")
    assert [item.findtext(f"{PAGE}TextEquiv/{PAGE}Unicode") for item in lines] == [
        "שלומות",
        MARKUP,
        "א\ufffdב",
    ]
    first = next(root.iter(f"{PAGE}TextLine"))
    assert first.find(f"{PAGE}Baseline").get("points") == "10,5 90,7"  # type: ignore[union-attr]
    assert first.find(f"{PAGE}Coords").get("points") == "10,0 90,0 92,40 8,40"  # type: ignore[union-attr]
    assert next(root.iter(f"{PAGE}Page")).get("readingDirection") == "right-to-left"


HEADED = page(
    in_region("page-number", line(0, "12")),
    in_region("heading", line(1, "כותרת")),
    line(2, "שורה ראשונה"),
    line(3, "שורה שנייה"),
    in_region("marginalia", line(4, "הערה")),
    in_region("footer", line(5, "סוף")),
)


def test_page_xml_names_the_type_of_each_region() -> None:
    """Neighbouring lines of one type are one region; the reading order lists the regions."""
    root = parsed(exports.to_page(HEADED))
    regions = list(root.iter(f"{PAGE}TextRegion"))
    assert [(region.get("type"), len(region.findall(f"{PAGE}TextLine"))) for region in regions] == [
        ("page-number", 1),
        ("heading", 1),
        ("paragraph", 2),
        ("marginalia", 1),
        ("footer", 1),
    ]
    order = [item.get("regionRef") for item in root.iter(f"{PAGE}RegionRefIndexed")]
    assert order == [region.get("id") for region in regions]
    assert regions[2].find(f"{PAGE}Coords").get("points") == "8,100 92,100 92,190 8,190"  # type: ignore[union-attr]


def test_alto_tags_each_block_with_its_type() -> None:
    """A StructureTag for each type, which the blocks refer to."""
    root = parsed(exports.to_alto(HEADED))
    labels = {tag.get("ID"): tag.get("LABEL") for tag in root.iter(f"{ALTO}StructureTag")}
    blocks = list(root.iter(f"{ALTO}TextBlock"))
    types = [labels[block.get("TAGREFS")] for block in blocks]
    assert types == ["page-number", "heading", "paragraph", "marginalia", "footer"]
    assert [blocks[2].get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["8", "100", "84", "90"]


def test_hocr_has_a_class_for_each_type() -> None:
    """Headers, footers, page numbers and notes have classes of their own; the others are areas."""
    root = parsed(exports.to_hocr(HEADED))
    areas = [
        (item.get("class"), item.get("title", "").rpartition(" ")[2])
        for item in root.iter(f"{HTML}div")
        if item.get("id", "").startswith("region_")
    ]
    assert areas == [
        ("ocr_pageno", "page-number"),
        ("ocr_carea", "heading"),
        ("ocr_carea", "paragraph"),
        ("ocr_textfloat", "marginalia"),
        ("ocr_footer", "footer"),
    ]


@pytest.mark.parametrize(
    ("min_confidence", "texts"),
    [(0.0, ["בטוח", "ספק", "תוקן"]), (0.5, ["בטוח", "תוקן"]), (0.95, ["תוקן"])],
)
def test_lines_of_a_low_confidence_are_left_out_unless_a_person_verified_them(
    min_confidence: float, texts: list[str]
) -> None:
    """In every text format."""
    lines = [line(0, "בטוח"), line(1, "ספק"), line(2, "תאכן", "תוקן")]
    for item, confidence in zip(lines, (0.9, 0.3, 0.2), strict=True):
        item.confidence = confidence
    confident = confident_page(page(*lines), min_confidence)
    assert exports.to_txt(confident).decode().split() == texts
    assert [region.get("id") for region in parsed(exports.to_page(confident)).iter(f"{PAGE}TextRegion")] == [
        "region_0"
    ]
    words = [item.get("CONTENT") for item in parsed(exports.to_alto(confident)).iter(f"{ALTO}String")]
    assert words == texts


def test_hocr_has_lines_in_boxes() -> None:
    """hOCR: a page, its lines, their extents."""
    root = parsed(exports.to_hocr(READ))
    lines = [element for element in root.iter(f"{HTML}p") if element.get("class") == "ocr_line"]
    assert [" ".join("".join(item.itertext()).split()) for item in lines] == ["שלומות", MARKUP, "א\ufffdב"]
    assert lines[0].get("title") == "bbox 8 0 92 40; x_wconf 88"


WORDS = {
    "several words": ("אחת שתים שלוש", "אחת שתים שלוש"),
    "a correction": ("אחת שתים", "אחת ועוד שתים"),
    "Latin words and niqqud": ("שָׁלוֹם Hello World סוף", None),
}


@pytest.mark.parametrize(("text", "corrected"), WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("form", ["alto", "page", "hocr"])
def test_each_word_has_a_box_within_its_line(form: exports.Format, text: str, corrected: str | None) -> None:
    """In logical order; Hebrew words follow each other to the left, and the boxes do not overlap."""
    _, write = exports.FORMATS[form]
    words = word_boxes(form, write(page(line(0, text, corrected))))
    assert [word for word, _ in words] == (corrected or text).split()
    for _, (left, top, right, bottom) in words:
        assert 8 <= left < right <= 92
        assert 0 <= top < bottom <= 40
    right_to_left = sorted((box for _, box in words), key=lambda box: -box[0])
    assert all(nearer[0] >= farther[2] - 1 for nearer, farther in pairwise(right_to_left))
    if "Hello" in text:
        assert words[1][1][0] < words[2][1][0]
    else:
        assert [box for _, box in words] == right_to_left


def test_a_word_has_the_box_of_its_characters_and_keeps_it_when_it_is_corrected() -> None:
    """Letters of one word may be narrower than those of another; a missing space is found."""
    extents = "80-72 72-65 65-58 58-50 50-40 40-30 30-20 20-10 10-0"
    as_read, corrected = (
        [box for _, box in word_boxes("alto", exports.to_alto(page(line(0, "גדולקטנים", text, extents))))]
        for text in (None, "גדול קטנים")
    )
    assert as_read == [pytest.approx((9, 0, 91, 40), abs=1)]
    assert corrected == [pytest.approx(box, abs=1) for box in ((60, 0, 91, 40), (9, 0, 60, 40))]


def test_words_have_the_confidence_of_their_reading_until_they_are_corrected() -> None:
    """A corrected word has none; a word after an inserted one keeps its own."""
    strings = parsed(exports.to_alto(page(line(0, "אחת שתים", "אחת ועוד שתים")))).iter(f"{ALTO}String")
    assert [string.get("WC") for string in strings] == ["0.8750", None, "0.8750"]


def test_an_export_names_the_image_as_it_is_downloaded() -> None:
    """With its extension; the lines of ALTO have spaces between their words."""
    name = "00000000-0000-4000-8000-0000000000aa.png"
    document = parsed(exports.to_alto(page(line(0, "א ב ג"))))
    assert document.findtext(f"{ALTO}Description/{ALTO}sourceImageInformation/{ALTO}fileName") == name
    [text_line] = document.iter(f"{ALTO}TextLine")
    tags = [child.tag.removeprefix(ALTO) for child in text_line]
    assert tags == ["Shape", "String", "SP", "String", "SP", "String"]
    assert next(parsed(exports.to_page(READ)).iter(f"{PAGE}Page")).get("imageFilename") == name


@pytest.mark.parametrize("write", [exports.to_alto, exports.to_page])
def test_an_import_of_an_export_has_the_corrected_lines_alone(write: Callable[[Page], bytes]) -> None:
    """A reading of a model is not ground truth; a user may confirm that every text is right."""
    exported = write(page(line(0, "שלום", "שלומות"), line(1, "עולם"), line(2, "", "")))
    document = parse_xml(exported)
    assert [item.text for item in document.lines] == ["שלומות"]
    assert [(item.number, item.code) for item in document.refusals] == [(2, "not-corrected"), (3, "no-text")]
    assert [item.text for item in parse_xml(exported, confirmed=True).lines] == ["שלומות", "עולם"]


@pytest.mark.parametrize("form", exports.FORMATS)
def test_a_page_that_was_not_read_exports_empty(form: exports.Format) -> None:
    """No line, no error."""
    media_type, write = exports.FORMATS[form]
    written = write(EMPTY)
    if "xml" in media_type or "html" in media_type:
        assert "שלום" not in "".join(parsed(written).itertext())
    elif form == "txt":
        assert written == b""


def test_every_format_has_a_type_and_an_extension() -> None:
    """Nothing is left out."""
    assert exports.FORMATS.keys() == exports.EXTENSIONS.keys()
