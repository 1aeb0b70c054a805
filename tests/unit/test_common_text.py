"""The one policy of stored text, and the error rates."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ketav_common import error_rates, text
from ketav_common.errors import InvalidInput


def test_text_is_stored_composed_and_presentation_forms_are_taken_apart() -> None:
    """NFD becomes NFC; U+FB4B (vav with holam) and U+FB4F (alef-lamed) become letters and points."""
    assert text.clean("e\u0301") == "\u00e9"
    assert text.clean("\ufb4b\ufb4f") == "\u05d5\u05b9\u05d0\u05dc"


def test_marks_that_belong_to_hebrew_stay() -> None:
    """LRM, RLM, maqaf, geresh, gershayim, niqqud and te'amim are kept."""
    word = "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u0596\u05d9\u05ea"
    line = f"\u200f{word}\u05be\u05f3\u05f4\u200e"
    assert text.clean(line) == unicodedata.normalize("NFC", line)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("a\u202eb", "bidi-override"),
        ("\u2067", "bidi-override"),
        ("a\x00", "control-character"),
        ("a\nb", "control-character"),
        ("\ud800", "control-character"),
        ("\u05d0" + "\u05b0" * 10_000, "text-too-long"),
        ("\u05d0" + "\u05b0" * 17, "too-many-marks"),
        ("\u05d0" * 4001, "text-too-long"),
    ],
)
def test_text_that_could_harm_is_refused_with_a_stable_code(bad: str, code: str) -> None:
    """Controls, bidi overrides, surrogates, stacked marks and overlong lines are InvalidInput."""
    with pytest.raises(InvalidInput) as caught:
        text.clean(bad)
    assert caught.value.code == code


@given(st.text(max_size=60))
def test_cleaning_is_idempotent_or_refuses(anything: str) -> None:
    """What was cleaned once is not changed by cleaning it again."""
    try:
        once = text.clean(anything)
    except InvalidInput:
        return
    assert text.clean(once) == once


def test_niqqud_can_be_stripped_without_losing_maqaf() -> None:
    """Points and accents go, letters and maqaf stay."""
    assert text.strip_niqqud("\u05d1\u05b0\u05bc\u05be\u05e9\u05c1\u05b8") == "\u05d1\u05be\u05e9"


def test_error_rates_are_corpus_level() -> None:
    """Edits of all lines over the length of all references, not a mean of lines."""
    pairs = [("abcd", "abcd"), ("ab", "xx")]
    assert error_rates.cer(pairs).rate == pytest.approx(2 / 6)
    assert error_rates.wer([("a b c", "a x c"), ("d", "d")]).rate == pytest.approx(1 / 4)


def test_an_empty_reference_counts_as_right_only_when_nothing_was_read() -> None:
    """No reference and no reading is no error; a reading out of nothing is."""
    assert error_rates.cer([("", "")]).rate == 0
    assert error_rates.cer([("", "x")]).rate == 1


def test_letters_only_keeps_the_alphabet_and_single_spaces() -> None:
    """Digits, points and punctuation go."""
    assert error_rates.letters_only("\u05d0\u05b8, \u05d1  12 \u05ea!") == "\u05d0 \u05d1 \u05ea"
