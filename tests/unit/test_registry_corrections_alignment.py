"""Aligning a page's corrected text to its lines."""

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ketav_registry.domain.corrections_alignment import THRESHOLD, align

LINES = ["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"]


def distance(one: str, other: str) -> float:
    """Return the edit distance as a share of the longer text."""
    return Levenshtein.normalized_distance(one, other)


def test_equal_lines_pair_in_order() -> None:
    """Nothing is left over and nothing is ambiguous."""
    found = align(LINES, LINES, distance)
    assert found.pairs == ((0, 0), (1, 1), (2, 2), (3, 3))
    assert (found.lines, found.texts) == ((), ())
    assert found.ambiguous_lines | found.ambiguous_texts == frozenset()


def test_a_missing_text_leaves_only_its_line_over() -> None:
    """What follows the gap is still aligned."""
    found = align(LINES, [LINES[0], LINES[2], LINES[3]], distance)
    assert found.pairs == ((0, 0), (2, 1), (3, 2))
    assert (found.lines, found.texts) == ((1,), ())


def test_an_extra_text_is_left_over() -> None:
    """A text of something else finds no line."""
    found = align(LINES, [*LINES[:2], "xyzxyz", *LINES[2:]], distance)
    assert found.pairs == ((0, 0), (1, 1), (2, 3), (3, 4))
    assert (found.lines, found.texts) == ((), (2,))


def test_a_line_beyond_the_threshold_is_not_guessed_although_its_neighbours_are_sure() -> None:
    """Even with equal counts, a pair with nothing in common is reported on both sides."""
    found = align(LINES, [LINES[0], "xyzxyzxy", *LINES[2:]], distance)
    assert found.pairs == ((0, 0), (2, 2), (3, 3))
    assert (found.lines, found.texts) == ((1,), (1,))


def test_one_text_for_two_equal_lines_is_ambiguous() -> None:
    """Which of them it belongs to would be a guess."""
    found = align(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"], ["aaaaaaaa", "bbbbbbbb"], distance)
    assert found.pairs == ((2, 1),)
    assert found.ambiguous_lines == {0, 1}
    assert found.ambiguous_texts == {0}


def test_texts_out_of_order_are_not_both_paired() -> None:
    """Reading order is kept; of two exchanged lines neither is sure."""
    found = align(LINES[:2], LINES[1::-1], distance)
    assert found.pairs == ()


def test_nothing_aligns_with_nothing() -> None:
    """Empty sides leave the other one over."""
    assert align([], [], distance).pairs == ()
    assert align([], ["a"], distance).texts == (0,)
    assert align(["a"], [], distance).lines == (0,)


@given(st.lists(st.text("abc", max_size=6), max_size=6), st.lists(st.text("abc", max_size=6), max_size=6))
def test_pairs_are_monotone_within_the_threshold_and_with_the_rest_make_up_both_sides(
    lines: list[str], texts: list[str]
) -> None:
    """Whatever the input, each line and each text is in one pair or left over."""
    found = align(lines, texts, distance)
    assert list(found.pairs) == sorted(found.pairs)
    assert len({j for _, j in found.pairs}) == len(found.pairs)
    assert all(distance(lines[i], texts[j]) <= THRESHOLD for i, j in found.pairs)
    assert sorted([*found.lines, *(i for i, _ in found.pairs)]) == list(range(len(lines)))
    assert sorted([*found.texts, *(j for _, j in found.pairs)]) == list(range(len(texts)))
