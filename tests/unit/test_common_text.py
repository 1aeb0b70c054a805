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


@pytest.mark.parametrize(
    "around",
    [
        "{}\n",
        "{}\r\n",
        "\ufeff{}",
        "\u00a0 {}\u3000",
        "\t{}\t",
        "\u202b{}\u202c",
        "\u202a{}\u202c",
        "\u2067{}\u2069",
        "\u2068\u202b{}\u202c\u2069",
        "\ufeff\u2066 {} \u2069\r\n",
    ],
)
def test_what_a_program_puts_around_a_line_is_not_stored(around: str) -> None:
    """White space, line ends, byte order marks, and balanced embeddings and isolates."""
    assert text.stored(around.format("שלום עולם")) == "שלום עולם"


def test_a_tab_is_stored_as_a_space_and_marks_outside_an_isolate_stay() -> None:
    """RLM, NBSP and ZWJ are what the user wrote."""
    assert text.stored("א\tב") == "א ב"
    assert text.stored("\u200f\u2067א\u00a0ב\u2069\u200f") == "\u200fא\u00a0ב\u200f"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("\u202eאב\u202c", "bidi-override"),
        ("\u202dאב\u202c", "bidi-override"),
        ("\u202bאב", "bidi-override"),
        ("אב\u2069", "bidi-override"),
        ("א \u2067ב\u2069 ג", "bidi-override"),
        ("\u202bא\u202c ב \u202bג\u202c", "bidi-override"),
        ("א\nב", "control-character"),
        ("\u202bא\u0007ב\u202c", "control-character"),
    ],
)
def test_other_controls_are_refused_with_a_stable_code(bad: str, code: str) -> None:
    """Overrides, unbalanced marks, marks inside the line, line feeds."""
    with pytest.raises(InvalidInput) as caught:
        text.stored(bad)
    assert caught.value.code == code


INVISIBLE = (
    "\u200f{}\u200f",
    "\u200e{}",
    "\u061c{}",
    "{}\u200b",
    "\ufeff{}",
    "\u00ad{}",
    "\u034f{}",
    "{}\u200d",
)
SPACES = (
    "\u00a0",
    "\u2009",
    "\u202f",
    "\u3000",
    "  ",
    "\u00a0 ",
    "\u200b \u200b",
    "\t",
    "\u2003\u200f\u2003",
)


@pytest.mark.parametrize("around", INVISIBLE)
def test_invisible_characters_are_not_measured(around: str) -> None:
    """Format characters and the grapheme joiner, also inside a word."""
    assert text.measured(around.format("שלום עולם")) == "שלום עולם"
    assert text.measured(around.format("של") + "ום") == "שלום"
    assert error_rates.cer([(around.format("שלום"), "שלום")]).edits == 0


@pytest.mark.parametrize("space", SPACES)
def test_white_space_of_any_width_is_measured_as_one_space(space: str) -> None:
    """The length of a reference counts it once."""
    assert text.measured(f"שלום{space}עולם") == "שלום עולם"
    rate = error_rates.cer([(f"שלום{space}עולם", "שלום עולם")])
    assert (rate.edits, rate.length) == (0, 9)


LETTERS = frozenset("אבגדהוזחטיכלמנסעפצקרשתםןךףץ 0123456789.,-'\"/():")


@pytest.mark.parametrize(
    ("written", "learnt"),
    [
        ("בית־ספר", "בית-ספר"),
        ("צה״ל וג׳ירפה", "צה\"ל וג'ירפה"),
        ("„שלום” — “עולם”", '"שלום" - "עולם"'),
        ("עוד…", "עוד..."),
        ("5₪", '5ש"ח'),
        ("בְּרֵאשִׁ֖ית", "בראשית"),
        ("ייִדיש: ײַ װ", "יידיש: יי וו"),
        ("½ כוס", "1/2 כוס"),
    ],
)
def test_signs_that_a_model_lacks_are_learnt_as_those_that_it_has(written: str, learnt: str) -> None:
    """One table; niqqud and te'amim go."""
    assert text.trained(written, LETTERS) == learnt
    assert text.unwritable(written, LETTERS) == ""


def test_a_model_learns_the_signs_that_it_has_as_they_are_written() -> None:
    """The table is for signs that the alphabet lacks; the nearest one that it has is taken."""
    assert text.trained("צה״ל—“א”", LETTERS | set("״–”")) == "צה״ל–”א”"
    assert text.trained("שָׁלוֹם", LETTERS | set("\u05b8\u05c1\u05b9")) == unicodedata.normalize("NFC", "שָׁלוֹם")


def test_signs_without_a_substitute_are_named() -> None:
    """Each once, sorted; accents of a letter that the model has go."""
    assert text.unwritable("Ω αβ Ω é", LETTERS | set("e")) == "Ωαβ"
    assert text.listed("Ωαβ", 2) == "Ω (U+03A9), α (U+03B1) and others"


@given(st.text(max_size=60))
def test_each_form_of_a_text_is_stable(anything: str) -> None:
    """A form of a form is the form, and it contains nothing invisible."""
    plain = text.measured(anything)
    assert text.measured(plain) == plain
    assert text.searched(text.searched(anything)) == text.searched(anything)
    learnt = text.trained(anything, LETTERS)
    assert text.trained(learnt, LETTERS) == learnt
    assert not [sign for sign in plain if unicodedata.category(sign) in {"Cf", "Cc"} or sign == "\u034f"]


def test_a_search_ignores_niqqud_and_final_forms() -> None:
    """And invisible characters."""
    assert text.searched("שָׁלוֹם\u00a0\u200fאֶרֶץ") == "שלומ ארצ"


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
