"""A page's text in common formats: logical order, corrections instead of what was misread.

ALTO 4.4 (loc.gov/standards/alto), PAGE 2019-07-15 (PRImA), hOCR 1.2 (kba.github.io/hocr-spec).
"""

import re
from collections.abc import Callable
from typing import Literal
from xml.etree import ElementTree as ET

from ketav_gateway.schemas import CorrectedLine, PageAnswer, Position

Format = Literal["txt", "json", "alto", "page", "hocr"]

_ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
_PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
# Characters that no XML 1.0 document may hold (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(line: CorrectedLine) -> str:
    """Return what is written on a line, as far as it is known."""
    return line.text if line.corrected_text is None else line.corrected_text


def _xml_text(line: CorrectedLine) -> str:
    """Return a line's text without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", _text(line))


def _lines(page: PageAnswer) -> list[CorrectedLine]:
    """Return the page's lines in reading order; none while it is not read."""
    lines = page.transcription.lines if page.transcription else []
    return sorted(lines, key=lambda line: line.order)


def _points(points: list[Position]) -> str:
    """Return positions as both ALTO and PAGE write them."""
    return " ".join(f"{x},{y}" for x, y in points)


def _extent(line: CorrectedLine) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a line in pixels."""
    points = line.boundary or line.baseline or [(0, 0)]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _serialise(root: ET.Element) -> bytes:
    """Return an XML document."""
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def to_txt(page: PageAnswer) -> bytes:
    """Return the lines as plain text."""
    return "".join(f"{_text(line)}\n" for line in _lines(page)).encode()


def to_json(page: PageAnswer) -> bytes:
    """Return the page as the API shows it."""
    return page.model_dump_json(indent=2).encode()


def to_alto(page: PageAnswer) -> bytes:
    """Return the page as ALTO 4.4."""
    root = ET.Element("alto", {"xmlns": _ALTO, "SCHEMAVERSION": "4.4"})
    description = ET.SubElement(root, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    source = ET.SubElement(description, "sourceImageInformation")
    ET.SubElement(source, "fileIdentifier").text = page.image_id
    size = {"WIDTH": str(page.image.width), "HEIGHT": str(page.image.height)}
    sheet = ET.SubElement(
        ET.SubElement(root, "Layout"), "Page", {"ID": "page", "PHYSICAL_IMG_NR": "1", **size}
    )
    origin = {"HPOS": "0", "VPOS": "0"}
    space = ET.SubElement(sheet, "PrintSpace", origin | size)
    block = ET.SubElement(space, "TextBlock", {"ID": "text", "LANG": "he"} | origin | size)
    for line in _lines(page):
        left, top, right, bottom = _extent(line)
        place = {
            "HPOS": str(left),
            "VPOS": str(top),
            "WIDTH": str(right - left),
            "HEIGHT": str(bottom - top),
        }
        attributes = {"ID": f"line_{line.line_id}", "BASELINE": _points(line.baseline), **place}
        element = ET.SubElement(block, "TextLine", attributes)
        ET.SubElement(ET.SubElement(element, "Shape"), "Polygon", {"POINTS": _points(line.boundary)})
        content = {"CONTENT": _xml_text(line), "WC": f"{line.confidence:.4f}"}
        ET.SubElement(element, "String", {"ID": f"string_{line.line_id}", **content, **place})
    return _serialise(root)


def to_page(page: PageAnswer) -> bytes:
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
    sheet = ET.SubElement(root, "Page", attributes)
    region = ET.SubElement(sheet, "TextRegion", {"id": "text", "readingDirection": "right-to-left"})
    corners: list[Position] = [(0, 0), (width, 0), (width, height), (0, height)]
    ET.SubElement(region, "Coords", {"points": _points(corners)})
    for line in _lines(page):
        order = {"custom": f"readingOrder {{index:{line.order};}}"}
        element = ET.SubElement(region, "TextLine", {"id": f"line_{line.line_id}", **order})
        ET.SubElement(element, "Coords", {"points": _points(line.boundary)})
        ET.SubElement(element, "Baseline", {"points": _points(line.baseline)})
        text = ET.SubElement(element, "TextEquiv", {"conf": f"{line.confidence:.4f}"})
        ET.SubElement(text, "Unicode").text = _xml_text(line)
    return _serialise(root)


def to_hocr(page: PageAnswer) -> bytes:
    """Return the page as hOCR 1.2."""
    root = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "he", "dir": "rtl"})
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = page.image_id
    ET.SubElement(head, "meta", {"name": "ocr-system", "content": "Ketav"})
    ET.SubElement(head, "meta", {"name": "ocr-capabilities", "content": "ocr_page ocr_line"})
    title = f"bbox 0 0 {page.image.width} {page.image.height}"
    sheet = ET.SubElement(
        ET.SubElement(root, "body"), "div", {"class": "ocr_page", "id": "page", "title": title}
    )
    for line in _lines(page):
        left, top, right, bottom = _extent(line)
        title = f"bbox {left} {top} {right} {bottom}; x_wconf {round(line.confidence * 100)}"
        attributes = {"class": "ocr_line", "id": f"line_{line.line_id}", "title": title, "dir": "rtl"}
        ET.SubElement(sheet, "p", attributes).text = _xml_text(line)
    return _serialise(root)


FORMATS: dict[Format, tuple[str, Callable[[PageAnswer], bytes]]] = {
    "txt": ("text/plain; charset=utf-8", to_txt),
    "json": ("application/json", to_json),
    "alto": ("application/alto+xml", to_alto),
    "page": ("application/vnd.prima.page+xml", to_page),
    "hocr": ("text/vnd.hocr+html", to_hocr),
}
EXTENSIONS: dict[Format, str] = {
    "txt": "txt",
    "json": "json",
    "alto": "alto.xml",
    "page": "page.xml",
    "hocr": "hocr.html",
}
