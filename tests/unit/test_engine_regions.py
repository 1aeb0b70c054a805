"""Region types of lines: what a line is on its page."""

import numpy as np
import pytest

from ketav_engine.domain import FoundLine, Reading
from ketav_engine.read_pages import assemble
from ketav_engine.segmentation.line_finder import find_lines
from ketav_engine.segmentation.regions import is_page_number
from tests.parts.drawn_pages import Image, paper, write, write_columns


def types(page: Image) -> list[str]:
    """Return the types of a page's lines in reading order."""
    return [line.region for line in find_lines(page, "page")]


def one_column(top: int = 220, count: int = 8) -> Image:
    """Return a page with one column of ragged lines, the first of which is indented."""
    page = paper(height=1200)
    for index in range(count):
        write(page, 80 + 30 * (index % 3), 820 if index == 0 else 920, top + 90 * index)
    return page


def test_a_page_of_running_text_has_paragraphs() -> None:
    """Also its first line, which is indented, and its last line, which is short."""
    page = one_column()
    write(page, 620, 920, 940)
    assert types(page) == ["paragraph"] * 9


@pytest.mark.parametrize(("left", "right"), [(350, 650), (400, 620), (280, 740)])
def test_a_centred_line_above_a_column_is_a_heading(left: int, right: int) -> None:
    """Of three widths."""
    page = one_column()
    write(page, left, right, 60)
    assert types(page) == ["heading", *["paragraph"] * 8]


@pytest.mark.parametrize(("left", "right"), [(100, 300), (80, 160), (830, 900)])
def test_a_short_line_at_one_side_above_everything_is_a_header(left: int, right: int) -> None:
    """A date at the left, a number at the left or at the right."""
    page = one_column()
    write(page, left, right, 40)
    assert types(page) == ["header", *["paragraph"] * 8]


@pytest.mark.parametrize(("left", "right"), [(300, 720), (400, 620), (60, 960)])
def test_a_line_across_the_columns_is_a_heading(left: int, right: int) -> None:
    """Above them, and between them."""
    page = paper(height=1300)
    write(page, left, right, 60)
    write_columns(page, 220, 4)
    write(page, left, right, 680)
    write_columns(page, 860, 4)
    assert types(page) == ["heading", *["paragraph"] * 8, "heading", *["paragraph"] * 8]


@pytest.mark.parametrize(("left", "right"), [(450, 580), (330, 690), (60, 140)])
def test_a_line_below_the_text_and_apart_from_it_is_a_footer(left: int, right: int) -> None:
    """A number in the middle, a footer, a number at the left."""
    page = one_column(top=80, count=8)
    write(page, left, right, 980)
    assert types(page) == [*["paragraph"] * 8, "footer"]


def test_a_signature_right_below_the_text_is_a_paragraph() -> None:
    """It is as near as the lines of the text are to one another."""
    page = one_column(top=80, count=8)
    write(page, 100, 300, 800)
    assert types(page) == ["paragraph"] * 9


def test_notes_beside_the_column_are_marginalia() -> None:
    """Five short lines at the left of a column that leaves room for them."""
    page = paper()
    for index in range(9):
        write(page, 400 + 20 * (index % 2), 940, 100 + 100 * index)
    for index in range(5):
        write(page, 40, 180, 240 + 60 * index, letter=24)
    assert sorted(types(page)) == ["marginalia"] * 5 + ["paragraph"] * 9


def test_the_lines_of_a_poem_are_no_headings() -> None:
    """Lines of different lengths, all centred."""
    page = paper()
    for index, half in enumerate([220, 300, 180, 320, 260, 330, 200, 310]):
        write(page, 500 - half, 500 + half, 100 + 110 * index)
    assert types(page).count("heading") <= 1


@pytest.mark.parametrize("text", ["12", "- 7 -", "(103)", "יב", "קכ״ג", "ט״ו", "ל׳"])
def test_a_number_at_the_bottom_is_a_page_number(text: str) -> None:
    """In digits or in Hebrew letters, with what surrounds it."""
    line = FoundLine(0, ((0, 5), (50, 5)), ((0, 0), (50, 0), (50, 20), (0, 20)), "footer")
    page = assemble(np.zeros((40, 60), np.uint8), [line], [Reading(text, (1.0,) * len(text))])
    assert page.lines[0].region == "page-number"


@pytest.mark.parametrize(
    ("text", "region"),
    [("ב״ה", "header"), ("בס״ד", "header"), ("תם", "footer"), ("12345", "footer"), ("יב", "heading")],
)
def test_another_short_text_is_no_page_number(text: str, region: str) -> None:
    """Letters that are no numeral, the word for the end, a chapter's number."""
    assert not is_page_number(text, region)  # type: ignore[arg-type]


@pytest.mark.parametrize("region", ["paragraph", "marginalia"])
def test_a_number_within_the_text_is_no_page_number(region: str) -> None:
    """Only what stands above or below the text can be one."""
    assert not is_page_number("12", region)  # type: ignore[arg-type]
