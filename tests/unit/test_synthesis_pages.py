"""Synthetic pages: text, image and true segmentation agree after every distortion."""

from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from ketav_basemodel.compose import draw_line
from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, make_glyph
from ketav_basemodel.layout import PageLine, Setting, fitted, justified
from ketav_basemodel.letters import CLASSES, LetterCollection
from ketav_basemodel.page_photographs import Page
from ketav_basemodel.pages import NAMESPACE, draw_page, draw_setting, page_xml
from ketav_basemodel.synthesis import Material
from ketav_basemodel.texts import Texts
from ketav_basemodel.writers import make_writer
from ketav_engine.segmentation.reading_order import reading_order

FLAT = Setting(lines=6, width=24.0, camera=0.0)
PHOTOGRAPHED = Setting(lines=9, width=20.0, camera=1.0, paper="ruled")
COLUMNS = Setting(lines=8, width=12.0, columns=2, camera=0.6, paper="squared")
SETTINGS = [FLAT, PHOTOGRAPHED, COLUMNS]


@pytest.fixture(scope="module")
def material() -> Material:
    """Material without files: rectangles for letters, a few words, no fonts."""
    block = {c: make_glyph(np.full((UNIT, 12 + i % 9), 255, np.uint8), 0.0) for i, c in enumerate(CLASSES)}
    words = dict.fromkeys(("שלום", "עולם", "דבר", "ספר", "בית", "מים"), 1.0)
    return Material(
        LetterCollection({0: block, 1: block}, {0: [1], 1: [0]}),
        Fonts([], [], [], [], [], []),
        Texts(words, []),
    )


def _area(page: Page, line: PageLine) -> NDArray[np.bool_]:
    """Fill a line's boundary."""
    area = np.zeros(page.owners.shape, np.uint8)
    cv2.fillPoly(area, [np.rint(line.boundary).astype(np.int32)], 1)
    return area > 0


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("seed", range(4))
def test_the_ink_of_a_line_is_inside_its_boundary(material: Material, setting: Setting, seed: int) -> None:
    """Every line has ink, and its ink in the image is inside, after bend and perspective."""
    page = draw_page(material, setting, seed)
    assert len(page.lines) >= setting.lines * setting.columns
    for number, line in enumerate(page.lines, 1):
        own = page.owners == number
        assert own.any()
        assert (own & _area(page, line)).sum() >= 0.99 * own.sum()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_image_is_darker_where_a_line_has_ink_than_on_the_paper_around(
    material: Material, setting: Setting
) -> None:
    """The image shows ink at the positions of the true lines."""
    page = draw_page(material, setting, 5)
    grey = cv2.cvtColor(page.image, cv2.COLOR_RGB2GRAY)
    for number, line in enumerate(page.lines, 1):
        area, own = _area(page, line), page.owners == number
        paper = area & ~cv2.dilate(page.owners, np.ones((5, 5), np.uint8)).astype(bool)
        assert grey[own].mean() < 0.8 * grey[paper].mean()


def test_letters_hang_from_the_baseline(material: Material) -> None:
    """On a flat page there is ink below the baseline and paper above it."""
    page = draw_page(material, FLAT, 6)
    for number, line in enumerate(page.lines, 1):
        own = page.owners == number
        core = np.ptp(line.boundary[:, 1]) / 2
        columns = np.arange(int(line.baseline[0, 0]) + 2, int(line.baseline[-1, 0]) - 2)
        rows = np.interp(columns, line.baseline[:, 0], line.baseline[:, 1])
        below = own[np.rint(rows + 0.6 * core).astype(int), columns].mean()
        above = own[np.rint(rows - 0.7 * core).astype(int), columns].mean()
        assert below > 0.25
        assert above < 0.25 * below


@pytest.mark.parametrize("setting", SETTINGS)
def test_lines_come_in_reading_order(material: Material, setting: Setting) -> None:
    """The order of the page is that of the engine's rules: right column first, downwards."""
    page = draw_page(material, setting, 7)
    boundaries = [[(int(x), int(y)) for x, y in line.boundary] for line in page.lines]
    assert reading_order(boundaries) == list(range(len(page.lines)))


def test_a_page_is_a_function_of_its_seed(material: Material) -> None:
    """The same seed gives the same image and the same lines, another seed another page."""
    one, again, other = (draw_page(material, PHOTOGRAPHED, seed) for seed in (8, 8, 9))
    assert np.array_equal(one.image, again.image)
    assert page_xml(one, "a.png") == page_xml(again, "a.png")
    assert page_xml(one, "a.png") != page_xml(other, "a.png")


def test_a_fitted_line_has_at_most_its_width_and_one_span_for_each_letter(material: Material) -> None:
    """It is not wider than the column and has one span of columns for each letter of its text."""
    writer = make_writer("hand", material.collection, material.fonts, np.random.default_rng(10))
    line = fitted(writer, material.texts, 300.0, 0.0, np.random.default_rng(11))
    assert line.ink.shape[1] <= 300
    assert len(line.spans) == len(line.text.replace(" ", ""))


def test_a_justified_line_has_its_width_and_unchanged_words(material: Material) -> None:
    """Gaps between words grow, letters keep their ink and their distance within a word."""
    writer = make_writer("hand", material.collection, material.fonts, np.random.default_rng(12))
    line = draw_line("שלום עולם דבר", writer)
    wide = justified(line, line.ink.shape[1] + 31.0)
    assert wide.ink.shape[1] == line.ink.shape[1] + 31
    assert wide.ink.astype(int).sum() == line.ink.astype(int).sum()
    assert [right - left for left, right in wide.spans] == [right - left for left, right in line.spans]
    for left, right in wide.spans:
        assert wide.ink[:, left:right].max() > 200
    assert justified(line, 9.0 * line.ink.shape[1]) is line


def test_page_xml_has_every_line_within_the_image(material: Material) -> None:
    """Text in logical order, points inside the image, lines in reading order."""
    page = draw_page(material, PHOTOGRAPHED, 13)
    root = ET.fromstring(page_xml(page, "page.png"))  # noqa: S314  # our own output
    element = root.find(f"{{{NAMESPACE}}}Page")
    assert element is not None
    assert element.attrib["readingDirection"] == "right-to-left"
    lines = list(root.iter(f"{{{NAMESPACE}}}TextLine"))
    texts = [line.findtext(f"{{{NAMESPACE}}}TextEquiv/{{{NAMESPACE}}}Unicode") for line in lines]
    assert texts == [line.text for line in page.lines]
    height, width = page.image.shape[:2]
    for element in root.iter(f"{{{NAMESPACE}}}Coords"):
        points = [tuple(map(int, pair.split(","))) for pair in element.attrib["points"].split()]
        assert all(0 <= x < width and 0 <= y < height for x, y in points)


def test_drawn_settings_are_valid() -> None:
    """Every drawn setting has lines, a width and a known paper."""
    random = np.random.default_rng(14)
    for _ in range(50):
        setting = draw_setting(random)
        assert setting.paper in {"plain", "ruled", "squared"}
        assert 4 <= setting.lines < 27
        assert 0 <= setting.camera <= 1
