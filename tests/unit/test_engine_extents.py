"""Characters get the columns of their ink."""

import numpy as np
import pytest

from ketav_engine.recognition.extents import character_extents

WIDTH = 100


def inked(*runs: tuple[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return a white line with ink in these columns, from the first to before the second."""
    line = np.full((48, WIDTH), 255, np.uint8)
    for start, end in runs:
        line[20:30, start:end] = 0
    return line


def test_words_end_where_their_ink_ends() -> None:
    """The space between them takes the widest gap, although the second word has a gap, too."""
    line = inked((10, 20), (22, 40), (60, 70), (73, 80))
    extents = character_extents("אב גד", [15.0, 30.0, 45.0, 65.0, 76.0], line)
    assert extents == [(10, 20), (22, 40), (40, 60), (60, 70), (73, 80)]


def test_letters_that_touch_are_divided_where_the_ink_is_thinnest() -> None:
    """Here between column 40 and 43."""
    line = inked((10, 40), (43, 80))
    line[25, 40:43] = 0
    [(_, end), (start, _)] = character_extents("אב", [20.0, 60.0], line)
    assert end == start
    assert 40 <= end <= 43


def test_words_over_a_ruled_line_are_separated_too() -> None:
    """The rule is ink in each column."""
    line = inked((10, 40), (60, 80))
    line[40:42] = 0
    extents = character_extents("א ב", [25.0, 50.0, 70.0], line)
    assert extents == [(0, 40), (40, 60), (60, WIDTH)]


@pytest.mark.parametrize("line", [inked(), inked((0, WIDTH))], ids=["no ink", "ink alone"])
def test_a_line_without_gaps_is_divided_between_the_centres(line: np.ndarray) -> None:
    """Every character has its columns, in order."""
    extents = character_extents("א ב", [25.0, 50.0, 75.0], line)
    assert extents[0][0] == 0
    assert extents[-1][1] == WIDTH
    assert all(start <= end for start, end in extents)


def test_labels_on_one_step_do_not_overlap() -> None:
    """Several characters may come from one label."""
    extents = character_extents("אבג", [30.0, 30.0, 30.0], inked((10, 50)))
    assert extents[0][0] == 10
    assert extents[-1][1] == 50
    assert all(start <= end for start, end in extents)


def test_a_line_without_characters_has_no_extents() -> None:
    """A blank one, for example."""
    assert character_extents("", [], inked()) == []
