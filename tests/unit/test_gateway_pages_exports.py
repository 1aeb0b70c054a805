"""Exports: well-formed, in logical order, with what the user wrote."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from ketav_gateway.ground_truth.xml_documents import parse_xml
from ketav_gateway.pages import exports
from ketav_gateway.pages.schemas import Page
from ketav_gateway.schemas import Image, Model
from ketav_gateway.transcriptions.schemas import CorrectedLine, Transcription

MARKUP = '</Unicode> & "<script>"'
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
HTML = "{http://www.w3.org/1999/xhtml}"


def parsed(document: bytes) -> ET.Element:
    """Parse what was written here; a document that is not well-formed raises."""
    return ET.fromstring(document)  # noqa: S314 - our own output


def line(order: int, text: str, corrected: str | None = None) -> CorrectedLine:
    """Return a line."""
    top = 50 * order
    return CorrectedLine(
        line_id=f"00000000-0000-4000-8000-00000000000{order}",
        order=order,
        text=text,
        confidence=0.875,
        baseline=[(10, top + 5), (90, top + 7)],
        boundary=[(10, top), (90, top), (92, top + 40), (8, top + 40)],
        words=[],
        corrected_text=corrected,
    )


def page(*lines: CorrectedLine) -> Page:
    """Return a page that was read."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Page(
        image_id="00000000-0000-4000-8000-0000000000aa",
        project_id="00000000-0000-4000-8000-0000000000bb",
        state="read",
        layout="page",
        created_at=now,
        image=Image(width=100, height=200, media_type="image/png"),
        transcription=Transcription(
            transcription_id="00000000-0000-4000-8000-0000000000cc",
            model=Model(version="hebrew_base-1", kind="base"),
            created_at=now,
            text="\n".join(item.text for item in lines),
            confidence=0.875,
            lines=list(lines),
        ),
    )


READ = page(line(1, MARKUP), line(0, "שלום", "שלומות"), line(2, "א\u0001ב"))
EMPTY = READ.model_copy(update={"transcription": None, "state": "stored"})


def test_plain_text_has_a_line_per_line_and_the_correction() -> None:
    """Reading order, corrections first, a line feed after each."""
    assert exports.to_txt(READ).decode() == f"שלומות\n{MARKUP}\nא\u0001ב\n"


def test_json_is_the_page_as_the_api_shows_it() -> None:
    """The same shape."""
    assert json.loads(exports.to_json(READ)) == READ.model_dump(mode="json")


def test_alto_has_lines_with_places_and_texts() -> None:
    """ALTO 4: pixels, extents, polygons, one string a line; markup is text, controls are replaced."""
    root = parsed(exports.to_alto(READ))
    assert root.tag == f"{ALTO}alto"
    assert root.findtext(f"{ALTO}Description/{ALTO}MeasurementUnit") == "pixel"
    strings = list(root.iter(f"{ALTO}String"))
    assert [string.get("CONTENT") for string in strings] == ["שלומות", MARKUP, "א\ufffdב"]
    first = next(root.iter(f"{ALTO}TextLine"))
    assert [first.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["8", "0", "84", "40"]
    assert first.get("BASELINE") == "10,5 90,7"


def test_page_xml_has_coordinates_baselines_and_texts() -> None:
    """PAGE 2019: right to left, reading order by position and by its own mark."""
    root = parsed(exports.to_page(READ))
    assert root.tag == f"{PAGE}PcGts"
    assert [element.text for element in root.iter(f"{PAGE}Unicode")] == ["שלומות", MARKUP, "א\ufffdב"]
    first = next(root.iter(f"{PAGE}TextLine"))
    assert first.find(f"{PAGE}Baseline").get("points") == "10,5 90,7"  # type: ignore[union-attr]
    assert first.find(f"{PAGE}Coords").get("points") == "10,0 90,0 92,40 8,40"  # type: ignore[union-attr]
    assert next(root.iter(f"{PAGE}Page")).get("readingDirection") == "right-to-left"


def test_hocr_has_lines_in_boxes() -> None:
    """hOCR: a page, its lines, their extents."""
    root = parsed(exports.to_hocr(READ))
    lines = [element for element in root.iter(f"{HTML}p") if element.get("class") == "ocr_line"]
    assert [element.text for element in lines] == ["שלומות", MARKUP, "א\ufffdב"]
    assert lines[0].get("title") == "bbox 8 0 92 40; x_wconf 88"


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
