"""Exports of a page's text in logical order: plain text, JSON, ALTO, PAGE XML and hOCR.

A line has its verified text, or its reading. ALTO 4.4 (loc.gov/standards/alto), PAGE 2019-07-15 (PRImA),
hOCR 1.2 (kba.github.io/hocr-spec).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from ketav_gateway.pages.regions import outline, page_lines, page_regions
from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.schemas import CorrectedLine, Position, RegionType, VerifiedWord, Word
from ketav_gateway.transcriptions.word_boxes import extent

Format = Literal["txt", "json", "alto", "page", "hocr"]

_ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
_PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow (section 2.2)."""


_HOCR_CLASSES: dict[RegionType, str] = {
    "paragraph": "ocr_carea",
    "heading": "ocr_carea",
    "header": "ocr_header",
    "footer": "ocr_footer",
    "page-number": "ocr_pageno",
    "marginalia": "ocr_textfloat",
}
"""Classes of hOCR for the region types; it has none for a heading, which `x_region` names."""
_HOCR_CAPABILITIES = " ".join(["ocr_page", *sorted(set(_HOCR_CLASSES.values())), "ocr_line", "ocrx_word"])
_IMAGE_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True)
class _Word:
    """A word of an exported line: its polygon, and its confidence, None for a corrected word."""

    text: str
    outline: list[Position]
    confidence: float | None


def image_name(image_id: str, media_type: str) -> str:
    """Return the name of an image file, as it is downloaded and as the exports refer to it."""
    return f"{image_id}.{_IMAGE_EXTENSIONS.get(media_type, 'bin')}"


def _text(line: CorrectedLine) -> str:
    """Return the verified text of a line, or its reading: a text in quarantine is not exported."""
    return line.text if line.verified_text is None else line.verified_text


def _is_corrected(line: CorrectedLine) -> str:
    """Return whether the text is a correction, as XML writes it; an import leaves out the other lines."""
    return "false" if line.verified_text is None else "true"


def xml_text(text: str) -> str:
    """Return a text with U+FFFD for each character that XML does not allow."""
    return _NOT_XML.sub("\ufffd", text)


def points_of(points: list[Position]) -> str:
    """Return points as ALTO and PAGE write them."""
    return " ".join(f"{x},{y}" for x, y in points)


def _extent(line: CorrectedLine) -> tuple[int, int, int, int]:
    """Return the rectangle around a line's boundary, or around its baseline without one."""
    return extent(outline(line))


def _words(line: CorrectedLine) -> list[_Word]:
    """Return the words of a line in logical order, without the characters that XML does not allow."""
    words: Sequence[Word | VerifiedWord] = line.words if line.verified_words is None else line.verified_words
    return [_Word(xml_text(word.text), word.boundary, word.confidence) for word in words]


def _box(points: list[Position]) -> dict[str, str]:
    """Return the rectangle around points as the attributes of ALTO."""
    left, top, right, bottom = extent(points)
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _serialise(root: ET.Element) -> bytes:
    """Return an XML document."""
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def to_txt(page: Page) -> bytes:
    """Return the lines as plain text, each followed by a line feed."""
    return "".join(f"{_text(line)}\n" for line in page_lines(page)).encode()


def to_json(page: Page) -> bytes:
    """Return the page as GET returns it."""
    return page.model_dump_json(indent=2).encode()


def _alto_line(block: ET.Element, line: CorrectedLine) -> None:
    """Append a TextLine with a String for each word and an SP between them."""
    box = _box(outline(line))
    attributes = {"ID": f"line_{line.line_id}", "BASELINE": points_of(line.baseline), **box}
    attributes["CS"] = _is_corrected(line)  # "correction status" in the schema of ALTO
    element = ET.SubElement(block, "TextLine", attributes)
    ET.SubElement(ET.SubElement(element, "Shape"), "Polygon", {"POINTS": points_of(line.boundary)})
    for number, word in enumerate(_words(line)):
        if number:
            ET.SubElement(element, "SP")
        content = {"ID": f"string_{line.line_id}_{number}", "CONTENT": word.text, **_box(word.outline)}
        confidence = {} if word.confidence is None else {"WC": f"{word.confidence:.4f}"}
        ET.SubElement(element, "String", content | confidence)
    if len(element) == 1:
        ET.SubElement(element, "String", {"ID": f"string_{line.line_id}_0", "CONTENT": "", **box})


def to_alto(page: Page) -> bytes:
    """Return the page as ALTO 4.4."""
    root = ET.Element("alto", {"xmlns": _ALTO, "SCHEMAVERSION": "4.4"})
    description = ET.SubElement(root, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    source = ET.SubElement(description, "sourceImageInformation")
    ET.SubElement(source, "fileName").text = image_name(page.image_id, page.image.media_type)
    ET.SubElement(source, "fileIdentifier").text = page.image_id
    size = {"WIDTH": str(page.image.width), "HEIGHT": str(page.image.height)}
    regions = page_regions(page)
    if regions:
        tags = ET.SubElement(root, "Tags")
        for kind in sorted({region.type for region in regions}):
            ET.SubElement(tags, "StructureTag", {"ID": f"type_{kind}", "TYPE": "region", "LABEL": kind})
    layout = ET.SubElement(root, "Layout")
    page_element = ET.SubElement(layout, "Page", {"ID": "page", "PHYSICAL_IMG_NR": "1", **size})
    origin = {"HPOS": "0", "VPOS": "0"}
    space = ET.SubElement(page_element, "PrintSpace", origin | size)
    for region in regions:
        attributes = {"ID": region.name, "LANG": "he", "TAGREFS": f"type_{region.type}"}
        block = ET.SubElement(space, "TextBlock", attributes | _box(region.corners))
        for line in region.lines:
            _alto_line(block, line)
    return _serialise(root)


def _page_line(region: ET.Element, line: CorrectedLine) -> None:
    """Append a TextLine of PAGE."""
    marks = f"readingOrder {{index:{line.order};}} ketav {{corrected:{_is_corrected(line)};}}"
    element = ET.SubElement(region, "TextLine", {"id": f"line_{line.line_id}", "custom": marks})
    ET.SubElement(element, "Coords", {"points": points_of(line.boundary)})
    ET.SubElement(element, "Baseline", {"points": points_of(line.baseline)})
    for number, word in enumerate(_words(line)):
        word_element = ET.SubElement(element, "Word", {"id": f"word_{line.line_id}_{number}"})
        ET.SubElement(word_element, "Coords", {"points": points_of(word.outline)})
        confidence = {} if word.confidence is None else {"conf": f"{word.confidence:.4f}"}
        word_text = ET.SubElement(word_element, "TextEquiv", confidence)
        ET.SubElement(word_text, "Unicode").text = word.text
    text = ET.SubElement(element, "TextEquiv", {"conf": f"{line.confidence:.4f}"})
    ET.SubElement(text, "Unicode").text = xml_text(_text(line))


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
        "imageFilename": image_name(page.image_id, page.image.media_type),
        "imageWidth": str(width),
        "imageHeight": str(height),
        "readingDirection": "right-to-left",
    }
    page_element = ET.SubElement(root, "Page", attributes)
    regions = page_regions(page)
    if regions:
        order = ET.SubElement(ET.SubElement(page_element, "ReadingOrder"), "OrderedGroup", {"id": "order"})
        for region in regions:
            ET.SubElement(order, "RegionRefIndexed", {"index": str(region.number), "regionRef": region.name})
    for region in regions:
        attributes = {"id": region.name, "type": region.type, "readingDirection": "right-to-left"}
        element = ET.SubElement(page_element, "TextRegion", attributes)
        ET.SubElement(element, "Coords", {"points": points_of(region.corners)})
        for line in region.lines:
            _page_line(element, line)
    return _serialise(root)


def _hocr_line(page_element: ET.Element, line: CorrectedLine) -> None:
    """Append a line of hOCR with its words."""
    title = f"bbox {' '.join(map(str, _extent(line)))}; x_wconf {round(line.confidence * 100)}"
    attributes = {"class": "ocr_line", "id": f"line_{line.line_id}", "title": title, "dir": "rtl"}
    element = ET.SubElement(page_element, "p", attributes)
    for number, word in enumerate(_words(line)):
        title = f"bbox {' '.join(map(str, extent(word.outline)))}"
        if word.confidence is not None:
            title += f"; x_wconf {round(word.confidence * 100)}"
        attributes = {"class": "ocrx_word", "id": f"word_{line.line_id}_{number}", "title": title}
        ET.SubElement(element, "span", attributes).text = word.text


def to_hocr(page: Page) -> bytes:
    """Return the page as hOCR 1.2."""
    root = ET.Element("html", {"xmlns": "http://www.w3.org/1999/xhtml", "lang": "he", "dir": "rtl"})
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = page.image_id
    ET.SubElement(head, "meta", {"name": "ocr-system", "content": "Ketav"})
    ET.SubElement(head, "meta", {"name": "ocr-capabilities", "content": _HOCR_CAPABILITIES})
    title = f"bbox 0 0 {page.image.width} {page.image.height}"
    body = ET.SubElement(root, "body")
    page_element = ET.SubElement(body, "div", {"class": "ocr_page", "id": "page", "title": title})
    for region in page_regions(page):
        box = " ".join(map(str, region.box))
        attributes = {
            "class": _HOCR_CLASSES[region.type],
            "id": region.name,
            "title": f"bbox {box}; x_region {region.type}",
        }
        element = ET.SubElement(page_element, "div", attributes)
        for line in region.lines:
            _hocr_line(element, line)
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
