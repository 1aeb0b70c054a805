"""TEI P5 (tei-c.org): documents of pages with their lines, as embedded transcriptions (section 12.2.2)."""

from xml.etree import ElementTree as ET

from ketav_gateway.pages.exports import image_name, points_of, xml_text
from ketav_gateway.pages.regions import page_regions
from ketav_gateway.pages.schemas import Page

MEDIA_TYPE = "application/tei+xml"
_NAMESPACE = "http://www.tei-c.org/ns/1.0"


def begin(title: str) -> str:
    """Return the beginning of a document: the header, which the guidelines require."""
    header = ET.Element("teiHeader")
    file = ET.SubElement(header, "fileDesc")
    ET.SubElement(ET.SubElement(file, "titleStmt"), "title").text = xml_text(title)
    ET.SubElement(ET.SubElement(file, "publicationStmt"), "p").text = "Unpublished transcription by Ketav"
    ET.SubElement(ET.SubElement(file, "sourceDesc"), "p").text = "Images of handwriting"
    start = f'<?xml version="1.0" encoding="utf-8"?>\n<TEI xmlns="{_NAMESPACE}">\n'
    return f'{start}{ET.tostring(header, encoding="unicode")}\n<sourceDoc xml:lang="he">\n'


def surface(page: Page) -> str:
    """Return the lines of a page: its regions are zones, and points are pixels of the image."""
    corner = {"lrx": str(page.image.width), "lry": str(page.image.height)}
    element = ET.Element("surface", {"xml:id": f"image_{page.image_id}", "ulx": "0", "uly": "0", **corner})
    ET.SubElement(element, "graphic", {"url": image_name(page.image_id, page.image.media_type)})
    for region in page_regions(page):
        attributes = {"type": region.type, "points": points_of(region.corners)}
        zone = ET.SubElement(element, "zone", attributes)
        for line in region.lines:
            attributes = {"xml:id": f"line_{line.line_id}"}
            if line.boundary:
                attributes["points"] = points_of(line.boundary)
            text = line.text if line.verified_text is None else line.verified_text
            ET.SubElement(zone, "line", attributes).text = xml_text(text)
    ET.indent(element)
    return ET.tostring(element, encoding="unicode") + "\n"


def end() -> str:
    """Return the end of a document."""
    return "</sourceDoc>\n</TEI>\n"
