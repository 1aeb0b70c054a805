"""Synthetic pages with their true segmentation, as images and as PAGE XML."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from ketav_basemodel.layout import PageLine, Points, Setting, write_page
from ketav_basemodel.page_photographs import Page, photograph_page
from ketav_basemodel.synthesis import Material
from ketav_basemodel.writers import KINDS, make_writer

NAMESPACE: Final = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
"""PAGE XML's page content schema, version 2019-07-15."""


def draw_setting(random: np.random.Generator) -> Setting:
    """Draw the properties of a page."""
    kinds = list(KINDS)
    kind = kinds[int(random.choice(len(kinds), p=np.array(list(KINDS.values()))))]
    formal = kind == "stam"
    columns = 2 if random.random() < 0.15 else 1
    return Setting(
        kind=kind,
        paper="plain" if formal else str(random.choice(["plain", "ruled", "squared"], p=[0.4, 0.35, 0.25])),
        columns=columns,
        lines=int(random.integers(4, 27)),
        width=float(random.uniform(14, 24) if columns == 2 else random.uniform(18, 46)),
        camera=float(random.random()),
    )


def draw_page(material: Material, setting: Setting, seed: int) -> Page:
    """Write and photograph one page. The same material, setting and seed give the same page."""
    random = np.random.default_rng(seed)
    writer = make_writer(
        setting.kind, material.collection, material.fonts, np.random.default_rng(random.integers(2**63))
    )
    return photograph_page(write_page(setting, writer, material.texts, random), setting, random)


def pages(material: Material, seed: int) -> Iterator[Page]:
    """Yield pages of all kinds, infinitely."""
    random = np.random.default_rng(seed)
    while True:
        setting = draw_setting(random)
        yield draw_page(material, setting, int(random.integers(2**63)))


def page_xml(page: Page, image_name: str) -> bytes:
    """Return a page's lines as PAGE XML 2019-07-15, in one region of reading order `right-to-left`."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_tag("PcGts"))
    metadata = ET.SubElement(root, _tag("Metadata"))
    for name, text in (("Creator", "ketav_basemodel"), ("Created", _EPOCH), ("LastChange", _EPOCH)):
        ET.SubElement(metadata, _tag(name)).text = text
    height, width = page.image.shape[:2]
    page_element = ET.SubElement(
        root,
        _tag("Page"),
        imageFilename=image_name,
        imageWidth=str(width),
        imageHeight=str(height),
        readingDirection="right-to-left",
    )
    region = ET.SubElement(page_element, _tag("TextRegion"), id="r0")
    frame = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], dtype=np.float64)
    ET.SubElement(region, _tag("Coords"), points=_coordinates(frame, page))
    for number, line in enumerate(page.lines, 1):
        _add_line(region, f"l{number:03d}", line, page)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def save_page(page: Page, folder: Path, name: str) -> None:
    """Write a page as `folder`/`name`.png and .xml."""
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(page.image, cv2.COLOR_RGB2BGR))
    (folder / f"{name}.xml").write_bytes(page_xml(page, f"{name}.png"))


_EPOCH: Final = "1970-01-01T00:00:00"
"""The date in every file: equal pages give equal files."""


def _tag(name: str) -> str:
    """Return a name in PAGE XML's namespace."""
    return f"{{{NAMESPACE}}}{name}"


def _add_line(region: ET.Element, name: str, line: PageLine, page: Page) -> None:
    """Add a TextLine."""
    element = ET.SubElement(region, _tag("TextLine"), id=name)
    ET.SubElement(element, _tag("Coords"), points=_coordinates(line.boundary, page))
    ET.SubElement(element, _tag("Baseline"), points=_coordinates(line.baseline, page))
    text = ET.SubElement(ET.SubElement(element, _tag("TextEquiv")), _tag("Unicode"))
    text.text = line.text


def _coordinates(points: Points, page: Page) -> str:
    """Return points in the notation of PAGE XML: whole pixels within the image."""
    height, width = page.image.shape[:2]
    inside = np.clip(np.rint(points), 0, (width - 1, height - 1)).astype(int)
    return " ".join(f"{x},{y}" for x, y in inside)
