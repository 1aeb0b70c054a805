"""The reasons to quarantine a correction."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ketav_common.text import measured
from ketav_registry.domain.corrections_quarantine import (
    Evidence,
    QuarantineCode,
    QuarantineLimits,
    check_correction,
    count_squares,
)

LIMITS = QuarantineLimits()
READING = "שלום לכם ילדים וילדות"
CERTAIN = Evidence(
    reading=READING,
    confidence=0.95,
    verified_text=None,
    squares=12.0,
    alphabet=frozenset("אבגדהוזחטיכלמם ן"),
)
"""A line that was read with high confidence, by a model whose alphabet is known."""
ANY_ALPHABET = replace(CERTAIN, alphabet=None)
OTHER_TEXT = "מעשה בארנב קטן שברח"


def code_of(text: str, evidence: Evidence = CERTAIN, *, confirmed: bool = False) -> QuarantineCode | None:
    """Return the code of a text's quarantine."""
    quarantine = check_correction(
        text, evidence, LIMITS, Levenshtein.normalized_distance, confirmed=confirmed
    )
    assert quarantine is None or quarantine.reason.endswith(".")
    return None if quarantine is None else quarantine.code


@pytest.mark.parametrize(
    ("text", "evidence", "expected"),
    [
        ("", CERTAIN, QuarantineCode.EMPTY_TEXT),
        ("ab", CERTAIN, QuarantineCode.OUTSIDE_ALPHABET),
        ("אב Ж", CERTAIN, QuarantineCode.OUTSIDE_ALPHABET),
        ("אב 😀", CERTAIN, QuarantineCode.OUTSIDE_ALPHABET),
        ("א" * 60 + "ב" * 100, ANY_ALPHABET, QuarantineCode.TOO_LONG_FOR_LINE),
        (OTHER_TEXT, ANY_ALPHABET, QuarantineCode.UNLIKE_READING),
        (READING, ANY_ALPHABET, None),
    ],
)
def test_each_reason_has_its_code(text: str, evidence: Evidence, expected: QuarantineCode | None) -> None:
    """An example of each code, and a correction without one."""
    assert code_of(text, evidence) is expected


@pytest.mark.parametrize("text", ["אמר: „בוא!“", "ג׳ ה״א א־ב", "אָבִי", "3 ₪ + 4", "א\u200eב"])
def test_signs_of_hebrew_and_of_any_writing_are_not_another_script(text: str) -> None:
    """A training can add niqqud, geresh, maqaf, currency and quotation marks to a model."""
    evidence = replace(
        CERTAIN, confidence=0.1, alphabet=CERTAIN.alphabet and CERTAIN.alphabet | set("3 4מרה")
    )
    assert code_of(text, evidence) is None


def test_a_confirmed_text_is_not_quarantined_unless_it_is_empty() -> None:
    """Confirmation overrides every reason but one: a line without text cannot train."""
    for text in ("ab", "א" * 300, OTHER_TEXT):
        assert code_of(text) is not None
        assert code_of(text, confirmed=True) is None
    assert code_of("", confirmed=True) is QuarantineCode.EMPTY_TEXT


def test_a_line_read_with_low_confidence_may_be_corrected_to_anything() -> None:
    """The handwriting that the model cannot read yet needs corrections most."""
    assert code_of(OTHER_TEXT, replace(ANY_ALPHABET, confidence=LIMITS.min_confidence - 0.01)) is None
    assert code_of(OTHER_TEXT, replace(ANY_ALPHABET, reading="", confidence=0.0)) is None


def test_a_certain_reading_may_be_wrong_in_most_letters() -> None:
    """More than a third of the letters in common are enough."""
    half = "".join("ץ" if index % 2 else letter for index, letter in enumerate(READING))
    assert code_of(half, ANY_ALPHABET) is None


def test_a_short_word_is_never_compared_with_its_reading() -> None:
    """Of four letters, all can be misread."""
    assert code_of("אבגד", replace(ANY_ALPHABET, reading="השרק")) is None


def test_a_verified_text_can_be_sent_again_and_its_typing_errors_corrected() -> None:
    """Also if it is unlike the reading; a third text is quarantined."""
    verified = replace(ANY_ALPHABET, verified_text=OTHER_TEXT)
    assert code_of(OTHER_TEXT, verified) is None
    assert code_of(OTHER_TEXT + "ה", verified) is None
    assert code_of("abc", replace(CERTAIN, verified_text="abc")) is None
    assert code_of("שקד פרח נץ צץ", verified) is QuarantineCode.UNLIKE_READING


def test_a_text_as_long_as_its_reading_fits_whatever_the_boundary() -> None:
    """A photographed line with wide margins has a boundary much higher than its letters."""
    wide_margins = replace(ANY_ALPHABET, reading="א" * 60, squares=1.5)
    assert code_of("א" * 60, wide_margins) is None
    assert code_of("א" * 121, wide_margins) is QuarantineCode.TOO_LONG_FOR_LINE


REVERSED = ("םכל םולש", "תודליו םידלי םכל םולש", "ןטק ןב ,רפס", "ץראה תאו םימשה תא")


@pytest.mark.parametrize("text", REVERSED)
def test_a_text_in_visual_order_is_recognised_without_a_reading(text: str) -> None:
    """Final letters begin its words; the text in logical order, or a confirmed one, passes."""
    imported = replace(ANY_ALPHABET, reading="", confidence=0.0)
    assert code_of(text, imported) is QuarantineCode.UNLIKE_READING
    assert code_of(text[::-1], imported) is None
    assert code_of(text, imported, confirmed=True) is None


@pytest.mark.parametrize("reading", ["שורה של דברי תורה", "בוקר טוב לכולם כאן", "היא הלכה הביתה"])
def test_a_text_in_visual_order_is_recognised_by_the_reading(reading: str) -> None:
    """Also with a confidence below which the reading is not compared otherwise, and with errors in it."""
    evidence = replace(ANY_ALPHABET, reading=reading.replace("ה", "ח", 1), confidence=0.5)
    assert code_of(reading[::-1], evidence) is QuarantineCode.UNLIKE_READING
    assert code_of(reading, evidence) is None


def test_combining_marks_need_no_room() -> None:
    """A text with niqqud has up to three times as many code points as letters."""
    assert code_of("אָ" * 140, replace(ANY_ALPHABET, confidence=0.5)) is None
    long_text = "אב" * 140
    assert code_of(long_text, replace(ANY_ALPHABET, confidence=0.5)) is QuarantineCode.TOO_LONG_FOR_LINE


@given(st.text(max_size=60), st.text(max_size=60), st.floats(0, 1), st.floats(0, 1000))
def test_any_text_can_be_checked_and_confirmed(
    text: str, reading: str, confidence: float, squares: float
) -> None:
    """No text raises an error."""
    evidence = Evidence(reading, confidence, None, squares, frozenset("אב"))
    check_correction(text, evidence, LIMITS, Levenshtein.normalized_distance, confirmed=False)
    expected = None if measured(text) else QuarantineCode.EMPTY_TEXT
    assert code_of(text, evidence, confirmed=True) is expected


def test_width_divided_by_height_follows_the_baseline() -> None:
    """The same line horizontal, vertical and slanted has the same value; without extent it has none."""
    horizontal = count_squares(((90, 5), (10, 5)), ((0, 0), (100, 0), (100, 20), (0, 20)))
    assert horizontal == pytest.approx(5.0)
    vertical = count_squares(((5, 10), (5, 90)), ((0, 0), (0, 100), (20, 100), (20, 0)))
    assert vertical == pytest.approx(5.0)
    slanted = count_squares(((0, 0), (60, 80)), ((0, 0), (60, 80), (44, 92), (-16, 12)))
    assert slanted == pytest.approx(5.0)
    assert count_squares((), ()) == 0.0
    assert count_squares(((3, 3), (3, 3)), ((0, 0), (40, 0), (40, 20), (0, 20))) == pytest.approx(2.0)
