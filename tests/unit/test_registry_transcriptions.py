"""Geometry digests of lines, and the lines that can be stored."""

from dataclasses import replace

import pytest

from ketav_registry.domain.transcriptions import Line, Word, geometry_digests, line_problem

LINE = Line(0, ((0, 0), (9, 0)), ((0, 0), (9, 0), (9, 5)), "שלום", 0.5)


def test_a_line_has_the_same_digest_in_every_transcription() -> None:
    """Text, order and confidence do not change it."""
    later = replace(LINE, order=7, text="אחר", confidence=0.1)
    assert geometry_digests([LINE]) == geometry_digests([later])


def test_a_line_with_another_geometry_has_another_digest() -> None:
    """One pixel of the baseline or of the boundary is enough."""
    moved = [replace(LINE, baseline=((0, 1), (9, 0))), replace(LINE, boundary=((0, 0), (9, 0), (9, 6)))]
    assert len(set(geometry_digests([LINE, *moved]))) == 3


def test_two_lines_of_a_transcription_never_have_the_same_digest() -> None:
    """Equal geometry is numbered, so that a correction belongs to one of them."""
    first, second = geometry_digests([LINE, LINE])
    assert first != second
    assert geometry_digests([LINE, LINE]) == [first, second]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"text": "א" * 4_001}, "4,000 code points"),
        ({"text": "א\0"}, "NUL"),
        ({"text": "e\u0301"}, "NFC"),
        ({"character_confidences": (0.5,)}, "one confidence for each code point"),
        ({"confidence": 1.1}, "outside 0 to 1"),
        ({"words": (Word("לום", 0.5, 0, 3),)}, "between its offsets"),
    ],
)
def test_the_problem_of_a_line_that_cannot_be_stored_is_named(
    changes: dict[str, object], problem: str
) -> None:
    """The first problem; none of a line that can be stored."""
    described = line_problem(replace(LINE, **changes))  # type: ignore[arg-type]
    assert problem in described
    assert bool(described) is bool(problem)
