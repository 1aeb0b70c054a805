"""Notes in a margin that run up or down the page are lines of their own, along their writing."""

from random import Random

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ketav_engine.cropping import crop, is_steep
from ketav_engine.domain import FoundLine
from ketav_engine.segmentation import line_finder
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.line_finder import find_lines
from ketav_engine.segmentation.turned_notes import Area, in_direction, reversed_line
from ketav_local.demo.page import FONT, LINES
from tests.parts.drawn_pages import Image, box, paper, write

BODY = 9
WORDS = " ".join(LINES).split()


def written(width: int, words: int, size: int, seed: int) -> Image:
    """Return one upright line of words in a handwriting font, which begins at the right."""
    text = " ".join(Random(seed).choices(WORDS, k=words))
    line = Pillow.new("L", (width, round(1.6 * size)), 240)
    font = ImageFont.truetype(FONT, size)
    ImageDraw.Draw(line).text((width - 10, 4), text[::-1], font=font, fill=30, anchor="ra")
    return np.asarray(line, dtype=np.uint8)


def note(lines: int, size: int) -> Image:
    """Return a note as it is written: upright lines of four words."""
    return np.vstack([written(800, 4, size, seed) for seed in range(lines)])


def page_with_note(turned: Image, side: str) -> Image:
    """Return a page of nine lines with a turned note in its left or right margin."""
    page = paper(1200, 1400)
    left = 320 if side == "left" else 60
    for index in range(BODY):
        page[60 + 110 * index : 148 + 110 * index, left : left + 1000] = written(1000, 6, 55, 10 + index)
    height, width = turned.shape
    start = 40 if side == "left" else 1360 - width
    page[200 : 200 + height, start : start + width] = turned
    return page


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("quarter_turns", "lines", "size"), [(1, 1, 55), (1, 2, 45), (3, 1, 40), (3, 3, 45)])
def test_a_turned_note_is_found_along_its_writing(
    side: str, quarter_turns: int, lines: int, size: int
) -> None:
    """One line for each of its own, after the text, with a baseline that runs up the page."""
    page = page_with_note(np.rot90(note(lines, size), quarter_turns), side)
    lines_of_page = find_lines(page, "page")
    assert len(lines_of_page) == BODY + lines
    assert [line.order for line in lines_of_page] == list(range(BODY + lines))
    for line in lines_of_page[BODY:]:
        assert line.region == "marginalia"
        assert is_steep(line.baseline)
        left, top, right, bottom = box(line)
        assert bottom - top > 4 * (right - left)
        assert top >= 200
        assert bottom <= 1000
    assert not any(is_steep(line.baseline) for line in lines_of_page[:BODY])


def test_short_upright_notes_and_numbers_in_a_margin_are_not_turned() -> None:
    """A column of numbers at the beginnings of the lines, and notes of one word under each other."""
    page = paper(1200, 1300)
    for index in range(BODY):
        write(page, 360, 1140, 120 + 80 * index)
        write(page, 1190, 1250, 120 + 80 * index)
    for index in range(4):
        write(page, 60, 240, 300 + 70 * index, letter=26)
    assert not any(is_steep(line.baseline) for line in find_lines(page, "page"))


def test_lines_that_run_down_are_reversed_and_follow_each_other_the_other_way() -> None:
    """Their baselines move to the other side of the letters; other lines stay as they are."""
    upright = FoundLine(0, ((0, 5), (90, 5)), ((0, 0), (90, 0), (90, 20)))
    first = FoundLine(1, ((112, 90), (112, 10)), ((110, 0), (130, 0), (130, 100), (110, 100)))
    second = FoundLine(2, ((142, 90), (142, 10)), ((140, 0), (160, 0), (160, 100), (140, 100)))
    ordered = in_direction([upright, first, second], {1, 2})
    assert [line.order for line in ordered] == [0, 1, 2]
    assert ordered[0] == upright
    assert ordered[1].baseline == ((158, 10), (158, 90))
    assert ordered[2].boundary == first.boundary
    assert in_direction([upright, first, second], set()) == (upright, first, second)
    assert reversed_line(reversed_line(first)) == first


@pytest.mark.parametrize("quarter_turns", [1, 3])
def test_a_turned_line_is_cut_like_the_upright_one(quarter_turns: int) -> None:
    """Its baseline tells where the tops of its letters are."""
    upright = note(1, 50)
    height, width = upright.shape
    expected = crop(
        upright,
        [(0, 30), (width - 1, 30)],
        [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)],
    )
    turned = np.ascontiguousarray(np.rot90(upright, quarter_turns))
    corners = [(0, 0), (height - 1, 0), (height - 1, width - 1), (0, width - 1)]
    up, down = [(30, width - 1), (30, 0)], [(height - 31, 0), (height - 31, width - 1)]
    cut = crop(turned, up if quarter_turns == 1 else down, corners)
    assert cut.shape == expected.shape
    assert np.abs(cut.astype(int) - expected.astype(int)).mean() < 2


@pytest.mark.parametrize(("count", "is_note"), [(2, True), (5, False)])
def test_an_area_with_more_lines_than_it_has_room_for_is_no_note(
    monkeypatch: pytest.MonkeyPatch, count: int, is_note: bool
) -> None:
    """Pieces of the squares of paper: the page is as without it. The strip is two letters wide."""
    page = page_with_note(np.full((60, 60), 240, dtype=np.uint8), "left")
    plain = find_lines(page, "page")

    def margin(ink: PageInk) -> list[Area]:
        """Return a strip of the left margin."""
        return [Area(0, 0, round(2 * ink.letter), ink.mask.shape[0])]

    monkeypatch.setattr(line_finder, "find_notes", margin)
    monkeypatch.setattr(line_finder, "turned_lines", lambda *_: list(plain[:count]))
    assert len(find_lines(page, "page")) == len(plain) + (count if is_note else 0)
