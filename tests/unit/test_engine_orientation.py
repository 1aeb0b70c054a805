"""Pages on their side, upside down or askew are read upright; upright ones are left as they are."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from bench.drawn_kinds import Page as HandwrittenPage
from ketav_common.image_turning import turned, turned_size
from ketav_engine.domain import FoundLine, Image, Reading, ReadLine, ReadPage
from ketav_engine.orientation import line_turn, probable_turn, read_upright
from ketav_engine.segmentation.line_finder import find_lines
from ketav_local.demo.page import PAPER as HAND_PAPER
from tests.parts.image_kinds import PAPER, written

PAGES = {
    "page": written((700, 900)),
    "wide page": written((900, 400)),
    "one line": written((900, 70)),
}


def grey(image: Pillow.Image) -> Image:
    """Return an image as a grey array."""
    return np.asarray(image.convert("L"), dtype=np.uint8)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_the_profile_tells_lines_across_from_lines_up(page: Pillow.Image) -> None:
    """Whether the writing stands on its head is left open."""
    assert [probable_turn(grey(turned(page, degrees))) for degrees in (0, 90, 180, 270)] == [0, 90, 0, 90]


@pytest.mark.parametrize("degrees", [20, 30, 40, -20, -30, -40])
def test_a_page_askew_by_more_than_the_line_finder_follows_is_straightened(degrees: int) -> None:
    """To within the steps of the search."""
    askew = PAGES["page"].rotate(-degrees, expand=True, fillcolor=PAPER)
    assert probable_turn(grey(askew)) == pytest.approx(-degrees, abs=4)


@pytest.mark.parametrize("degrees", [0, 90, 50, -50, -75])
@pytest.mark.parametrize("words", [2, 6])
@pytest.mark.parametrize("lines", [1, 2, 5])
def test_a_page_of_few_lines_is_turned_like_one_of_many(lines: int, words: int, degrees: int) -> None:
    """Its letters are larger; they are reduced until their strokes no longer look like lines."""
    page = HandwrittenPage(seed=10 * lines + words, width=180 * words, height=100 + 92 * lines)
    page.write_lines(lines, words)
    askew = page.image.rotate(degrees, expand=True, fillcolor=HAND_PAPER, resample=Pillow.Resampling.BICUBIC)
    turn = probable_turn(grey(askew))
    assert min((turn - degrees) % 180, (degrees - turn) % 180) <= 12


@pytest.mark.parametrize("degrees", [0, 4, -8, 27, -27, 60, 90])
@pytest.mark.parametrize("words", [3, 8])
def test_a_single_line_is_straightened_along_the_course_of_its_ink(words: int, degrees: int) -> None:
    """An image of one line has no rows of lines to judge by; then only its rows of ink are read."""
    page = HandwrittenPage(seed=words, width=200 * words, height=160)
    page.write_lines(1, words)
    askew = page.image.rotate(degrees, expand=True, fillcolor=HAND_PAPER, resample=Pillow.Resampling.BICUBIC)
    turn = line_turn(grey(askew))
    assert min((turn - degrees) % 180, (degrees - turn) % 180) <= 4
    upright = grey(turned(askew, turn))
    (line,) = find_lines(upright, "line")
    rows = [y for _, y in line.boundary]
    assert max(rows) - min(rows) <= max(160, upright.shape[1] / 4)


@pytest.mark.parametrize("text", ["ש", "מג", "ל"])
@pytest.mark.parametrize("size", [60, 200])
def test_a_few_letters_alone_on_a_page_have_no_direction(text: str, size: int) -> None:
    """The strokes of a letter run in any direction, and turned it is read as another one."""
    page = HandwrittenPage(seed=1, width=800, height=600)
    page.write(500, 150, text, size)
    assert probable_turn(grey(page.image)) == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_line_image_without_ink_has_no_course(level: int) -> None:
    """The image stays as it is."""
    assert line_turn(np.full((80, 700), level, dtype=np.uint8)) == 0


@pytest.mark.parametrize("degrees", [-25, -32, -40, 25, 40, 64])
def test_short_lines_at_one_side_of_a_page_askew_are_straightened(degrees: int) -> None:
    """Their ends in one column look like lines across the image."""
    page = written((1100, 600))
    page.paste(PAPER, (0, 0, 420, 600))
    askew = page.rotate(-degrees, expand=True, fillcolor=PAPER)
    assert probable_turn(grey(askew)) == pytest.approx(-degrees, abs=4)


@pytest.mark.parametrize("degrees", [108, 110])
@pytest.mark.parametrize("lines", [3, 4, 5])
def test_a_few_lines_whose_strokes_lie_level_are_turned(lines: int, degrees: int) -> None:
    """Upright strokes of letters that lean make lines across the image after such a turn."""
    page = HandwrittenPage(seed=lines, width=1400, height=60 + 92 * lines + 60)
    page.write_lines(lines, 5)
    askew = page.image.rotate(degrees, expand=True, fillcolor=HAND_PAPER, resample=Pillow.Resampling.BICUBIC)
    assert probable_turn(grey(askew)) == pytest.approx(degrees - 180, abs=4)


@pytest.mark.parametrize("degrees", [3, -6, 9])
def test_a_page_a_little_askew_is_left_to_the_line_finder(degrees: int) -> None:
    """Turning it would cost sharpness."""
    askew = PAGES["page"].rotate(degrees, expand=True, fillcolor=PAPER)
    assert probable_turn(grey(askew)) == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_image_without_lines_has_no_direction(level: int) -> None:
    """Nothing is turned without a reason."""
    assert probable_turn(np.full((300, 500), level, dtype=np.uint8)) == 0


class Readers:
    """An engine that reads an image with a black corner confidently when that corner is at the right top."""

    def __init__(self, upright: float, other: float) -> None:
        """Take the confidences of an upright and of any other reading."""
        self.upright, self.other = upright, other
        self.pages = 0

    def _reading(self, image: Image) -> Reading:
        """Return a text with the confidence of the image's direction."""
        upright = image[:15, -15:].mean() < 60
        return Reading("שלום לכל קורא", (self.upright if upright else self.other,) * 13)

    def read_page(self, image: Image, layout: str, model: Any) -> ReadPage:
        """Return one line."""
        self.pages += 1
        reading = self._reading(image)
        corners = ((0, 0), (9, 0), (9, 9), (0, 9))
        line = ReadLine(0, corners[:2], corners, reading.text, 0.0, reading.confidences, ())
        return ReadPage(image.shape[1], image.shape[0], (line,))

    def find_lines(self, image: Image, layout: str) -> tuple[FoundLine, ...]:
        """Return one line."""
        return (FoundLine(0, ((0, 0), (9, 0)), ((0, 0), (9, 0), (9, 9), (0, 9))),)

    def cut_lines(self, image: Image, lines: Sequence[FoundLine], height: int) -> list[Image]:
        """Return the whole image as a line."""
        return [image]

    def read_lines(self, lines: Sequence[Image], model: Any) -> list[Reading]:
        """Return the reading of each line."""
        return [self._reading(line) for line in lines]


def marked_page() -> Pillow.Image:
    """Return a page with a black corner at the right top."""
    page = written((700, 900))
    page.paste((0, 0, 0), (684, 0, 700, 16))
    return page


def read(engine: Any, image: Pillow.Image) -> ReadPage:
    """Read an image in its best direction."""
    model: Any = SimpleNamespace(info=SimpleNamespace(height=48))
    return read_upright(engine, np.asarray(image, dtype=np.uint8), "page", model)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_an_image_is_turned_to_where_its_lines_read_best(degrees: int) -> None:
    """The turn undoes the one of the upload."""
    page = read(Readers(0.95, 0.7), turned(marked_page(), degrees))
    assert page.turn == (360 - degrees) % 360
    assert page.confidence == pytest.approx(0.95)


def test_a_page_that_reads_well_is_read_once() -> None:
    """No other direction is tried."""
    engine = Readers(0.95, 0.9)
    assert read(engine, marked_page()).turn == 0
    assert engine.pages == 1


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -30])
@pytest.mark.parametrize(("upright", "other"), [(0.7, 0.5), (0.6, 0.6), (0.5, 0.7)])
def test_a_page_is_read_at_most_twice(degrees: int, upright: float, other: float) -> None:
    """Samples of its lines decide between the directions, whichever of them reads well."""
    engine = Readers(upright, other)
    read(engine, marked_page().rotate(degrees, expand=True, fillcolor=PAPER))
    assert 1 <= engine.pages <= 2


def test_a_turn_that_makes_an_image_too_large_to_store_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway would refuse the turned image, and the page could never be read."""
    askew = marked_page().rotate(-30, expand=True, fillcolor=PAPER)
    assert read(Readers(0.6, 0.95), askew).turn == pytest.approx(330, abs=4)
    monkeypatch.setattr("ketav_engine.orientation.MAX_IMAGE_PIXELS", askew.width * askew.height)
    assert read(Readers(0.6, 0.95), askew).turn == 0


@pytest.mark.parametrize("degrees", [0, 20, 90, 123, 180, 270, 340])
def test_the_size_of_a_turned_image_is_known_before_it_is_turned(degrees: int) -> None:
    """To within two pixels of rounding."""
    image = PAGES["wide page"]
    assert turned_size(*image.size, degrees) == pytest.approx(turned(image, degrees).size, abs=2)


@pytest.mark.parametrize(("upright", "other"), [(0.6, 0.6), (0.6, 0.64), (0.6, 0.4), (0.3, 0.32)])
def test_a_hand_that_reads_badly_is_not_turned_without_evidence(upright: float, other: float) -> None:
    """A few points of confidence on a short text are no evidence."""
    assert read(Readers(upright, other), marked_page()).turn == 0
