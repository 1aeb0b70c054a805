"""Exports of a page's text in logical order: plain text, JSON, ALTO, PAGE XML and hOCR.

A corrected line has its correction. ALTO 4.4 (loc.gov/standards/alto), PAGE 2019-07-15 (PRImA), hOCR 1.2
(kba.github.io/hocr-spec).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.schemas import CorrectedLine, Position

Format = Literal["txt", "json", "alto", "page", "hocr"]

_ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
_PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow (section 2.2)."""


@dataclass(frozen=True)
class _Extent:
    """The smallest rectangle around a line, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


def _text(line: CorrectedLine) -> str:
    """Return the correction of a line, or its reading."""
    return line.text if line.corrected_text is None else line.corrected_text


def _is_corrected(line: CorrectedLine) -> str:
    """Return whether the text is a correction, as XML writes it; an import leaves out the other lines."""
    return "false" if line.corrected_text is None else "true"


def _xml_text(line: CorrectedLine) -> str:
    """Return a line's text with U+FFFD for each character that XML does not allow."""
    return _NOT_XML.sub("\ufffd", _text(line))


def _lines(page: Page) -> list[CorrectedLine]:
    """Return the page's lines in reading order; an empty list if the page has no transcription."""
    lines = page.transcription.lines if page.transcription else []
    return sorted(lines, key=lambda line: line.order)


def _points(points: list[Position]) -> str:
    """Return points as ALTO and PAGE write them."""
    return " ".join(f"{x},{y}" for x, y in points)


def _extent(line: CorrectedLine) -> _Extent:
    """Return the rectangle around a line's boundary, or around its baseline without one."""
    points = line.boundary or line.baseline or [(0, 0)]
    xs, ys = zip(*points, strict=True)
    return _Extent(min(xs), min(ys), max(xs), max(ys))


def _serialise(root: ET.Element) -> bytes:
    """Return an XML document."""
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def to_txt(page: Page) -> bytes:
    """Return the lines as plain text, each followed by a line feed."""
    return "".join(f"{_text(line)}\n" for line in _lines(page)).encode()


def to_json(page: Page) -> bytes:
    """Return the page as GET returns it."""
    return page.model_dump_json(indent=2).encode()


def _alto_line(block: ET.Element, line: CorrectedLine) -> None:
    """Append a TextLine with one String; Ketav has no boxes of words."""
    extent = _extent(line)
    box = {
        "HPOS": str(extent.left),
        "VPOS": str(extent.top),
        "WIDTH": str(extent.right - extent.left),
        "HEIGHT": str(extent.bottom - extent.top),
    }
    attributes = {"ID": f"line_{line.line_id}", "BASELINE": _points(line.baseline), **box}
    attributes["CS"] = _is_corrected(line)  # "correction status" in the schema of ALTO
    element = ET.SubElement(block, "TextLine", attributes)
    ET.SubElement(ET.SubElement(element, "Shape"), "Polygon", {"POINTS": _points(line.boundary)})
    content = {"CONTENT": _xml_text(line), "WC": f"{line.confidence:.4f}"}
    ET.SubElement(element, "String", {"ID": f"string_{line.line_id}", **content, **box})


def to_alto(page: Page) -> bytes:
    """Return the page as ALTO 4.4."""
    root = ET.Element("alto", {"xmlns": _ALTO, "SCHEMAVERSION": "4.4"})
    description = ET.SubElement(root, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    source = ET.SubElement(description, "sourceImageInformation")
    ET.SubElement(source, "fileIdentifier").text = page.image_id
    size = {"WIDTH": str(page.image.width), "HEIGHT": str(page.image.height)}
    layout = ET.SubElement(root, "Layout")
    page_element = ET.SubElement(layout, "Page", {"ID": "page", "PHYSICAL_IMG_NR": "1", **size})
    origin = {"HPOS": "0", "VPOS": "0"}
    space = ET.SubElement(page_element, "PrintSpace", origin | size)
    block = ET.SubElement(space, "TextBlock", {"ID": "text", "LANG": "he"} | origin | size)
    for line in _lines(page):
        _alto_line(block, line)
    return _serialise(root)


def _page_line(region: ET.Element, line: CorrectedLine) -> None:
    """Append a TextLine of PAGE."""
    marks = f"readingOrder {{index:{line.order};}} ketav {{corrected:{_is_corrected(line)};}}"
    element = ET.SubElement(region, "TextLine", {"id": f"line_{line.line_id}", "custom": marks})
    ET.SubElement(element, "Coords", {"points": _points(line.boundary)})
    ET.SubElement(element, "Baseline", {"points": _points(line.baseline)})
    text = ET.SubElement(element, "TextEquiv", {"conf": f"{line.confidence:.4f}"})
    ET.SubElement(text, "Unicode").text = _xml_text(line)


def to_page(page: Page) -> bytes:
    """Return the page as PAGE XML 2019-07-15."""
    root = ET.Element("PcGts", {"xmlns": _PAGE})
    metadata = ET.SubElement(root, "Metadata")
    ET.SubElement(metadata, "Creator").text = "Ketav"
    created = page.transcription.created_at if page.transcription else page.created_at
    for name in ("Created", "LastChange"):
        ET.SubElement(metadata, name).text = created.isoformat()
    width, height = page.image.width, page.image.height
    attributes = {
        "imageFilename": page.image_id,
        "imageWidth": str(width),
        "imageHeight": str(height),
        "readingDirection": "right-to-left",
    }
    page_element = ET.SubElement(root, "Page", attributes)
    region = ET.SubElement(page_element, "TextRegion", {"id": "text", "readingDirection": "right-to-left"})
    corners: list[Position] = [(0, 0), (width, 0), (width, height), (0, height)]
    ET.SubElement(region, "Coords", {"points": _points(corners)})
    for line in _lines(page):
        _page_line(region, line)
    return _serialise(root)


def to_hocr(page: Page) -> bytes:
    """Return the page as hOCR 1.2."""
    root = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "he", "dir": "rtl"})
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = page.image_id
    ET.SubElement(head, "meta", {"name": "ocr-system", "content": "Ketav"})
    ET.SubElement(head, "meta", {"name": "ocr-capabilities", "content": "ocr_page ocr_line"})
    title = f"bbox 0 0 {page.image.width} {page.image.height}"
    body = ET.SubElement(root, "body")
    page_element = ET.SubElement(body, "div", {"class": "ocr_page", "id": "page", "title": title})
    for line in _lines(page):
        extent = _extent(line)
        box = f"bbox {extent.left} {extent.top} {extent.right} {extent.bottom}"
        title = f"{box}; x_wconf {round(line.confidence * 100)}"
        attributes = {"class": "ocr_line", "id": f"line_{line.line_id}", "title": title, "dir": "rtl"}
        ET.SubElement(page_element, "p", attributes).text = _xml_text(line)
    return _serialise(root)


FORMATS: dict[Format, tuple[str, Callable[[Page], bytes]]] = {
    "txt": ("text/plain; charset=utf-8", to_txt),
    "json": ("application/json", to_json),
    "alto": ("application/alto+xml", to_alto),
    "page": ("application/vnd.prima.page+xml", to_page),
    "hocr": ("text/vnd.hocr+html", to_hocr),
}
"""Media type and function of each format."""
EXTENSIONS: dict[Format, str] = {
    "txt": "txt",
    "json": "json",
    "alto": "alto.xml",
    "page": "page.xml",
    "hocr": "hocr.html",
}
