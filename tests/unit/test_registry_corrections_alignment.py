"""Alignment of a page's corrected text to its lines."""

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ketav_registry.domain.corrections_alignment import MAX_DISTANCE, align

LINES = ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]


def distance(one: str, other: str) -> float:
    """Return the edit distance divided by the length of the longer text."""
    return Levenshtein.normalized_distance(one, other)


def test_equal_lines_are_paired_in_order() -> None:
    """Nothing is unpaired and nothing is ambiguous."""
    alignment = align(LINES, LINES, distance)
    assert alignment.pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
    assert (alignment.unpaired_lines, alignment.unpaired_texts) == ((), ())
    assert alignment.ambiguous_lines | alignment.ambiguous_texts == frozenset()


def test_a_missing_text_leaves_only_its_line_unpaired() -> None:
    """The lines after the gap are paired."""
    alignment = align(LINES, [LINES[0], LINES[2], LINES[3]], distance)
    assert alignment.pairs == ((0, 0), (2, 1), (3, 2))
    assert (alignment.unpaired_lines, alignment.unpaired_texts) == ((1,), ())


def test_an_additional_text_is_unpaired() -> None:
    """A text that resembles no line gets no line."""
    alignment = align(LINES, [*LINES[:2], "xyzxyz", *LINES[2:]], distance)
    assert alignment.pairs == ((0, 0), (1, 1), (2, 3), (3, 4))
    assert (alignment.unpaired_lines, alignment.unpaired_texts) == ((), (2,))


def test_a_pair_beyond_the_maximum_distance_is_not_guessed_from_its_neighbours() -> None:
    """Even with equal counts, a line and a text with nothing in common are both reported."""
    alignment = align(LINES, [LINES[0], "xyzxyzxy", *LINES[2:]], distance)
    assert alignment.pairs == ((0, 0), (2, 2), (3, 3))
    assert (alignment.unpaired_lines, alignment.unpaired_texts) == ((1,), (1,))


def test_one_text_for_two_equal_lines_is_ambiguous() -> None:
    """To choose one of the lines would be a guess."""
    alignment = align(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"], ["aaaaaaaa", "bbbbbbbb"], distance)
    assert alignment.pairs == ((2, 1),)
    assert alignment.ambiguous_lines == {0, 1}
    assert alignment.ambiguous_texts == {0}


def test_exchanged_texts_are_not_paired() -> None:
    """Pairs keep the reading order; of two exchanged lines, either could be paired."""
    alignment = align(LINES[:2], LINES[1::-1], distance)
    assert alignment.pairs == ()


def test_an_empty_side_leaves_the_other_one_unpaired() -> None:
    """No lines, no texts, or neither."""
    assert align([], [], distance).pairs == ()
    assert align([], ["a"], distance).unpaired_texts == (0,)
    assert align(["a"], [], distance).unpaired_lines == (0,)


@given(st.lists(st.text("abc", max_size=6), max_size=6), st.lists(st.text("abc", max_size=6), max_size=6))
def test_each_line_and_each_text_is_in_one_pair_or_unpaired(lines: list[str], texts: list[str]) -> None:
    """For any input; pairs are monotone and within the maximum distance."""
    alignment = align(lines, texts, distance)
    pairs = alignment.pairs
    assert list(pairs) == sorted(pairs)
    assert len({j for _, j in pairs}) == len(pairs)
    assert all(distance(lines[i], texts[j]) <= MAX_DISTANCE for i, j in pairs)
    assert sorted([*alignment.unpaired_lines, *(i for i, _ in pairs)]) == list(range(len(lines)))
    assert sorted([*alignment.unpaired_texts, *(j for _, j in pairs)]) == list(range(len(texts)))
