"""Finding lines of right-to-left handwriting."""

import cv2
import numpy as np
import pytest

from ketav_engine import domain
from ketav_engine.segmentation.broken_letters import correction
from ketav_engine.segmentation.ink import find_ink
from ketav_engine.segmentation.line_finder import find_lines
from ketav_engine.segmentation.pieces import Piece
from ketav_engine.segmentation.reading_order import reading_order
from tests.parts.drawn_pages import Image, box, paper, sides_of, write, write_columns


def test_close_lines_are_found_whole_and_separate() -> None:
    """Twelve lines with little space between them are twelve, each as wide as it was written."""
    page = paper()
    for index in range(12):
        write(page, 80, 920, 60 + 62 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 12
    for index, line in enumerate(lines):
        left, top, right, bottom = box(line)
        assert left < 90
        assert right > 870
        assert top < 62 + 62 * index < bottom < 62 + 62 * (index + 2)


@pytest.mark.parametrize("height", [20, 32, 48])
@pytest.mark.parametrize(
    "strokes", [((0, 0, 0, 9), (0, 0, 9, 0), (9, 0, 9, 9)), ((0, 0, 9, 0), (9, 0, 9, 9))]
)
def test_one_letter_alone_on_a_page_is_found(height: int, strokes: tuple[tuple[int, ...], ...]) -> None:
    """A het or a resh, and nothing else: one line around it."""
    page = paper()
    for stroke in strokes:
        x1, y1, x2, y2 = (height * value // 9 for value in stroke)
        cv2.line(page, (500 + x1, 300 + y1), (500 + x2, 300 + y2), 30, max(3, height // 9))
    [line] = find_lines(page, "page")
    left, top, right, bottom = box(line)
    assert left <= 500 < 500 + height <= right + 2
    assert top <= 300 < 300 + height // 2 <= bottom


@pytest.mark.parametrize("form", ["a stain", "a stroke", "a rule", "a frame"])
def test_one_form_that_is_no_letter_is_no_line(form: str) -> None:
    """Alone on a page it has no text."""
    page = paper()
    if form == "a stain":
        cv2.ellipse(page, (400, 300), (30, 20), 0, 0, 360, 60, -1)
    elif form == "a stroke":
        cv2.line(page, (400, 300), (408, 350), 30, 3)
    elif form == "a rule":
        cv2.line(page, (100, 300), (800, 306), 30, 3)
    else:
        cv2.rectangle(page, (20, 20), (900, 900), 30, 4)
    assert find_lines(page, "page") == ()


def test_curved_and_sloping_lines_are_found() -> None:
    """A bend of one line's height and a slope of three degrees break no line."""
    page = paper()
    for index in range(8):
        write(page, 80, 920, 150 + 100 * index, bend=-60)
    assert len(find_lines(page, "page")) == 8
    page = paper()
    for index in range(8):
        write(page, 80, 920, 100 + 100 * index, slope=0.05)
    assert len(find_lines(page, "page")) == 8


def test_the_right_column_is_read_first() -> None:
    """Two columns are separated by their gutter and read from the right, each from top to bottom."""
    page = paper()
    for index in range(6):
        write(page, 60, 420, 100 + 90 * index)
        write(page, 590, 950, 100 + 90 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 12
    middles = [(box(line)[0] + box(line)[2]) / 2 for line in lines]
    assert all(middle > 500 for middle in middles[:6])
    assert all(middle < 500 for middle in middles[6:])
    assert [line.order for line in lines] == list(range(12))


def test_a_wide_word_gap_does_not_cut_a_line() -> None:
    """A gap of five letters between words, where the lines around it have none, is no gutter."""
    page = paper()
    write(page, 80, 920, 100)
    write(page, 80, 420, 200)
    write(page, 590, 920, 200)
    write(page, 80, 920, 300)
    assert len(find_lines(page, "page")) == 3


def test_words_far_apart_whose_gaps_meet_are_no_columns() -> None:
    """Where every space is wide, first words of one length on four lines leave a blank, but no gutter."""
    page = paper()
    for index in range(9):
        top, first = 100 + 80 * index, 850 if index <= 3 else 780 - 40 * (index % 3)
        write(page, first, 950, top)
        for right in range(first - 70, 250, -190 - 10 * index):
            write(page, right - 120, right, top)
    assert len(find_lines(page, "page")) == 9


def test_ruled_paper_and_specks_are_no_lines() -> None:
    """Rules, a margin and dust neither are lines nor lengthen any."""
    page = paper()
    for y in range(60, 1200, 70):
        cv2.line(page, (0, y), (999, y + 3), 150, 2)
    cv2.line(page, (900, 0), (905, 1199), 120, 2)
    dust = np.random.default_rng(1)
    for x, y in dust.integers(0, 1000, (40, 2)):
        page[y : y + 3, x : x + 3] = 60
    for index in range(4):
        write(page, 200, 800, 240 + 140 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 4
    for line in lines:
        left, _, right, _ = box(line)
        assert 150 < left < 210
        assert 750 < right < 860


def test_rules_of_a_page_photographed_askew_are_no_writing() -> None:
    """Lines on rules with a slope of six per cent are found."""
    page = paper()
    for index in range(8):
        top = 120 + 110 * index
        write(page, 150, 850, top, slope=0.06)
        for x in range(0, 999, 3):
            y = round(top + 32 + 0.06 * (x - 150))
            cv2.line(page, (x, y), (x + 3, y), 150, 2)
    lines = find_lines(page, "page")
    assert len(lines) == 8
    for line in lines:
        left, _, right, _ = box(line)
        assert 120 < left < 190
        assert 800 < right < 880


def test_a_page_askew_on_a_darker_table_has_only_its_written_lines() -> None:
    """The edges of the paper, which cross the photograph, are no lines and lengthen none."""
    page = np.full((1200, 1000), 110, np.uint8)
    cv2.fillPoly(page, [np.array([(90, 60), (930, 95), (960, 1150), (60, 1120)], np.int32)], 235)
    page = np.asarray(cv2.GaussianBlur(page, (0, 0), 1.5), np.uint8)
    for index in range(7):
        write(page, 180, 840, 180 + 110 * index, slope=0.02)
    lines = find_lines(page, "page")
    assert len(lines) == 7
    for line in lines:
        left, _, right, _ = box(line)
        assert left > 140
        assert right < 880


def test_ragged_columns_with_a_narrow_gutter_are_separate_from_the_first_line_on() -> None:
    """Lines of the right column end raggedly at the gutter, one of them far from it."""
    page = paper()
    for index, left in enumerate([780, 560, 600, 545, 630, 550, 570, 590]):
        write(page, 60, 480, 100 + 80 * index)
        write(page, left, 950, 100 + 80 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 16
    assert all(box(line)[0] > 500 for line in lines[:8])


def test_the_dark_edge_of_a_table_is_no_line() -> None:
    """Ink that runs out of the photograph is not writing."""
    page = paper()
    page[:50] = 40
    page[:, :40] = 30
    page[1150:] = 60
    for index in range(3):
        write(page, 200, 800, 300 + 140 * index)
    assert len(find_lines(page, "page")) == 3


def test_a_slanting_stroke_is_ink() -> None:
    """Only a level stroke may be a fold or an edge: a letter's long slanting leg stays."""
    page = paper()
    for index in range(4):
        write(page, 150, 850, 120 + 110 * index)
    cv2.line(page, (500, 760), (620, 700), 30, 7)
    write(page, 640, 850, 710)
    mask = find_ink(page).mask
    scale = mask.shape[0] / page.shape[0]
    assert mask[round(730 * scale), round(555 * scale) : round(565 * scale)].any()


def test_a_faint_short_line_far_from_strong_ones_is_grain_but_a_long_faint_one_is_writing() -> None:
    """A short line half as strong as the others is dropped; a whole line in fading ink stays."""

    def fading(length: int) -> Image:
        """Return a page of six strong lines and below them a faint one."""
        page, faint = paper(), paper()
        for index in range(6):
            write(page, 80, 920, 100 + 100 * index)
        write(faint, 80, 80 + length, 900)
        return np.minimum(page, np.where(faint < 100, 170, 255).astype(np.uint8))

    assert len(find_lines(fading(200), "page")) == 6
    assert len(find_lines(fading(840), "page")) == 7


def test_a_boundary_surrounds_its_letters_and_not_its_neighbours() -> None:
    """Ascenders are inside; the letters of the line below are outside."""
    page = paper()
    write(page, 80, 920, 100)
    write(page, 80, 920, 180)
    first, second = find_lines(page, "page")
    for line, top in ((first, 100), (second, 180)):
        area = np.zeros(page.shape, np.uint8)
        cv2.fillPoly(area, [np.array(line.boundary, np.int32)], 1)
        own = np.zeros(page.shape, np.uint8)
        write_only = paper()
        write(write_only, 80, 920, top)
        own[write_only < 100] = 1
        assert (own & area).sum() > 0.99 * own.sum()
        other = (page < 100) & (own == 0)
        assert (other & (area > 0)).sum() < 0.1 * other.sum()


def test_a_colour_photograph_and_a_shadow_change_nothing() -> None:
    """Yellow paper under a strong gradient gives the same number of lines."""
    page = paper()
    for index in range(6):
        write(page, 80, 920, 100 + 120 * index)
    shade = np.linspace(0.45, 1.0, page.shape[1])[None, :, None]
    colour = np.dstack([page, page * 0.95, page * 0.7]) * shade
    assert len(find_lines(colour.astype(np.uint8), "page")) == 6


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (5, 5), (40, 40)])
def test_images_of_extreme_sizes_are_segmented(shape: tuple[int, int]) -> None:
    """Tiny and stretched images, blank or black or noisy, raise no error."""
    noise = np.random.default_rng(2).integers(0, 255, shape, dtype=np.uint8)
    for image in (np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8), noise):
        for line in find_lines(image, "page") + find_lines(image, "line"):
            assert all(
                0 <= x <= max(1, shape[1] - 1) and 0 <= y <= max(1, shape[0] - 1) for x, y in line.boundary
            )


def test_ink_of_a_blank_page_has_no_letters() -> None:
    """Without writing there is no letter height."""
    assert find_ink(paper()).letter == 0


def test_reading_order_goes_down_a_column_before_the_next() -> None:
    """A heading over both columns comes first, then the right column, then the left, then a foot line."""

    def area(left: int, top: int, right: int) -> tuple[domain.Point, ...]:
        """Return a box of one line's height."""
        return ((left, top), (right, top), (right, top + 20), (left, top + 20))

    boundaries = [
        area(0, 300, 900),
        area(0, 100, 400),
        area(500, 100, 900),
        area(0, 0, 900),
        area(500, 150, 900),
        area(0, 150, 400),
    ]
    assert reading_order(boundaries) == [3, 2, 4, 1, 5, 0]
    assert reading_order([]) == []


@pytest.mark.parametrize("lines", [3, 5, 9])
@pytest.mark.parametrize(
    ("left", "right", "letter"),
    [(300, 720, 32), (400, 620, 48), (60, 960, 32)],
    ids=["centred", "big", "wide"],
)
def test_a_heading_over_two_columns_is_one_line_that_is_read_first(
    lines: int, left: int, right: int, letter: int
) -> None:
    """Each column keeps its lines: 2n + 1 in all, of which the heading alone crosses the gutter."""
    page = paper(height=320 + 90 * lines)
    write(page, left, right, 60, letter=letter)
    write_columns(page, 220, lines)
    sides = sides_of(find_lines(page, "page"))
    assert sides == ["across", *["right"] * lines, *["left"] * lines]


@pytest.mark.parametrize(("left", "right"), [(330, 690), (60, 960)], ids=["centred", "wide"])
def test_a_subheading_between_columns_is_read_between_them(left: int, right: int) -> None:
    """Both columns above it come first, both columns below it last."""
    page = paper(height=1250)
    write_columns(page, 60, 4)
    write(page, left, right, 510)
    write_columns(page, 700, 4)
    sides = sides_of(find_lines(page, "page"))
    assert sides == [*["right"] * 4, *["left"] * 4, "across", *["right"] * 4, *["left"] * 4]


@pytest.mark.parametrize(
    ("left", "right"), [(450, 580), (330, 690), (60, 960)], ids=["number", "centred", "wide"]
)
def test_a_footer_under_two_columns_is_read_last_and_unites_none(left: int, right: int) -> None:
    """A page number in the gutter and a footer across it leave the lines next to the gutter as they are."""
    page = paper(height=1000)
    write_columns(page, 100, 7)
    write(page, left, right, 850)
    lines = find_lines(page, "page")
    assert sides_of(lines)[:14] == [*["right"] * 7, *["left"] * 7]
    assert len(lines) == 15
    assert box(lines[-1])[1] > 800


@pytest.mark.parametrize(
    ("left", "right"), [(100, 300), (60, 140), (420, 600)], ids=["date at the left", "page number", "centred"]
)
@pytest.mark.parametrize("columns", [1, 2])
def test_what_stands_above_everything_is_read_first(columns: int, left: int, right: int) -> None:
    """Also where it does not overlap the right column."""
    page = paper(height=1000)
    write(page, left, right, 40)
    for index in range(6):
        write(page, 590 if columns == 2 else 350, 960, 220 + 90 * index)
        if columns == 2:
            write(page, 60, 430, 220 + 90 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 6 * columns + 1
    assert box(lines[0])[3] < 150
    assert box(lines[1])[2] > 900


def test_a_date_at_the_left_and_a_number_at_the_right_are_read_before_the_columns() -> None:
    """The number first: it is on the right."""
    page = paper(height=1000)
    write(page, 100, 300, 40)
    write(page, 860, 940, 40)
    write_columns(page, 260, 6)
    lines = find_lines(page, "page")
    assert len(lines) == 14
    assert box(lines[0])[0] > 800
    assert box(lines[1])[3] < 150


def test_columns_of_different_lengths_are_read_one_after_the_other() -> None:
    """The last lines of the longer right column stand alone, and still belong to it."""
    page = paper(height=1000)
    for index in range(9):
        write(page, 590, 960, 60 + 90 * index)
        if 1 <= index < 5:
            write(page, 60, 430, 60 + 90 * index)
    sides = sides_of(find_lines(page, "page"))
    assert sides == [*["right"] * 9, *["left"] * 4]


def test_three_columns_under_a_heading_keep_their_lines() -> None:
    """Two gutters on one page."""
    page = paper(height=1000, width=1400)
    write(page, 500, 900, 60)
    for index in range(6):
        for right in (1360, 900, 440):
            write(page, right - 330 - 20 * (index % 2), right, 240 + 90 * index)
    lines = find_lines(page, "page")
    assert len(lines) == 19
    assert all(box(line)[2] - box(line)[0] < 430 for line in lines)


@pytest.mark.parametrize("row", [4, 5, 7])
@pytest.mark.parametrize(("left", "right", "letter"), [(480, 560, 32), (490, 560, 30), (475, 525, 40)])
def test_a_word_inside_a_gutter_unites_no_columns(left: int, right: int, letter: int, row: int) -> None:
    """A word or a number level with lines of both columns is a line of its own, also at the last lines."""
    page = paper(height=1000)
    for index in range(8):
        write(page, 60 + 40 * (index % 3), 430, 100 + 90 * index)
        write(page, 660 + 30 * (index % 2), 960, 100 + 90 * index)
    write(page, left, right, 100 + 90 * row, letter=letter)
    lines = find_lines(page, "page")
    assert len(lines) == 17
    assert all(box(line)[2] - box(line)[0] < 420 for line in lines)


def rows_at(*middles: float) -> list[Piece]:
    """Return pieces across a page with these middles."""
    return [Piece(100, np.full(900, middle, np.float32)) for middle in middles]


@pytest.mark.parametrize(("letter", "near"), [(12.0, 15), (14.0, 16), (18.0, 20)])
def test_rows_of_ink_in_pairs_are_roofs_and_feet_of_broken_letters(letter: float, near: int) -> None:
    """Each pair is one line, so that the letters are higher than they were measured."""
    pairs = [middle for top in range(100, 1000, 60) for middle in (top, top + near)]
    assert correction(rows_at(*pairs), letter) > 1.5


@pytest.mark.parametrize(
    ("letter", "pitch"),
    [(12.0, 24), (18.0, 25), (20.0, 60), (40.0, 52)],
    ids=["usual", "close", "far", "big"],
)
def test_rows_of_ink_at_one_distance_are_lines(letter: float, pitch: int) -> None:
    """Whether they are close or far apart: letters are not broken."""
    assert correction(rows_at(*range(100, 1000, pitch)), letter) == 1.0


def test_lines_very_far_apart_count_as_lines_of_broken_letters() -> None:
    """If they are not, the greater letter height does not matter: no other line is near."""
    assert 1.0 < correction(rows_at(*range(100, 1000, 80)), 16.0) <= 1.7


@pytest.mark.parametrize(
    ("left", "top", "letter"), [(450, 300, 40), (700, 200, 80), (300, 600, 120), (100, 900, 200)]
)
def test_a_large_letter_alone_on_a_page_is_found(left: int, top: int, letter: int) -> None:
    """Of any size, anywhere."""
    page = paper()
    cv2.polylines(
        page,
        [np.array([(left, top), (left + letter // 2, top), (left + letter // 2, top + letter)], np.int32)],
        isClosed=False,
        color=30,
        thickness=max(4, letter // 6),
    )
    lines = find_lines(page, "page")
    assert len(lines) == 1
    assert box(lines[0])[0] <= left <= box(lines[0])[2]


@pytest.mark.parametrize(("level", "period", "slope"), [(95, 12, 0.02), (100, 14, 0.0), (130, 11, -0.03)])
def test_the_grain_of_a_table_around_the_paper_is_no_line(level: int, period: int, slope: float) -> None:
    """Long faint strokes on ground that is darker than the paper, of which there are more than lines."""
    rows, columns = np.mgrid[:1500, :1600].astype(np.float32)
    noise = np.random.default_rng(level).normal(0, 5, rows.shape)
    grain = 14 * np.sin((rows + slope * columns) / period + 2 * np.sin(columns / 160)) + noise
    page = np.clip(level + grain, 0, 255).astype(np.uint8)
    written = paper(height=900, width=1000)
    for index in range(7):
        write(written, 120, 880, 120 + 100 * index)
    page[300:1200, 300:1300] = written
    lines = find_lines(np.asarray(cv2.GaussianBlur(page, (0, 0), 1.0), np.uint8), "page")
    assert len(lines) == 7
