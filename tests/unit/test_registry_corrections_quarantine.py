"""Which corrections look wrong, and which must not be doubted."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ketav_registry.domain.corrections_quarantine import Doubt, Evidence, Limits, judge, room
from ketav_registry.domain.models import alphabet_of

LIMITS = Limits()
READ = "שלום לכם ילדים וילדות"
SURE = Evidence(read=READ, confidence=0.95, verified=None, room=12.0, alphabet=frozenset("אבגדהוזחטיכלמם ן"))
OTHER = "מעשה בארנב קטן שברח"


def doubt(text: str, evidence: Evidence = SURE, *, confirmed: bool = False) -> Doubt | None:
    """Return the code of a text's quarantine."""
    found = judge(text, evidence, LIMITS, Levenshtein.normalized_distance, confirmed=confirmed)
    assert found is None or found.reason.endswith(".")
    return None if found is None else found.doubt


KNOWN = replace(SURE, alphabet=None)


@pytest.mark.parametrize(
    ("text", "evidence", "expected"),
    [
        ("", SURE, Doubt.EMPTY),
        ("ab", SURE, Doubt.FOREIGN),
        ("אב Ж", SURE, Doubt.FOREIGN),
        ("אב 😀", SURE, Doubt.FOREIGN),
        ("א" * 60 + "ב" * 100, KNOWN, Doubt.TOO_LONG),
        (OTHER, KNOWN, Doubt.UNLIKE),
        (READ, KNOWN, None),
    ],
)
def test_each_doubt_has_its_code(text: str, evidence: Evidence, expected: Doubt | None) -> None:
    """One example each, and one that is in order."""
    assert doubt(text, evidence) is expected


@pytest.mark.parametrize("text", ["אמר: „בוא!“", "ג׳ ה״א א־ב", "אָבִי", "3 ₪ + 4", "א\u200eב"])
def test_signs_of_hebrew_and_of_any_writing_are_no_other_script(text: str) -> None:
    """Niqqud, geresh, maqaf, currency and quotation marks are learnt in time: they are not doubted."""
    evidence = replace(SURE, confidence=0.1, alphabet=SURE.alphabet and SURE.alphabet | set("3 4מרה"))
    assert doubt(text, evidence) is None


def test_what_the_user_confirms_is_believed_but_a_line_without_text_teaches_nothing() -> None:
    """Confirmation lifts every doubt but one."""
    for text in ("ab", "א" * 300, OTHER):
        assert doubt(text) is not None
        assert doubt(text, confirmed=True) is None
    assert doubt("", confirmed=True) is Doubt.EMPTY


def test_a_badly_read_line_may_be_corrected_to_anything() -> None:
    """The hand the model cannot read yet needs corrections most: an unsure reading binds nobody."""
    assert doubt(OTHER, replace(KNOWN, confidence=LIMITS.confidence - 0.01)) is None
    assert doubt(OTHER, replace(KNOWN, read="", confidence=0.0)) is None


def test_a_sure_reading_may_be_wrong_in_most_letters() -> None:
    """Over a third of the letters in common are enough."""
    half = "".join("ץ" if index % 2 else letter for index, letter in enumerate(READ))
    assert doubt(half, KNOWN) is None


def test_a_short_word_is_never_doubted_for_what_was_read() -> None:
    """With four letters every one can be misread."""
    assert doubt("אבגד", replace(KNOWN, read="השרק")) is None


def test_what_was_verified_once_is_not_doubted_again_nor_is_a_text_close_to_it() -> None:
    """A line whose strange text was confirmed can be sent again, and its typing errors be mended."""
    verified = replace(KNOWN, verified=OTHER)
    assert doubt(OTHER, verified) is None
    assert doubt(OTHER + "ה", verified) is None
    assert doubt("abc", replace(SURE, verified="abc")) is None
    assert doubt("שקד פרח נץ צץ", verified) is Doubt.UNLIKE


def test_a_text_as_long_as_the_reading_stands_on_the_line_whatever_its_boundary() -> None:
    """A photographed line with wide margins has a boundary far higher than its letters."""
    margins = replace(KNOWN, read="א" * 60, room=1.5)
    assert doubt("א" * 60, margins) is None
    assert doubt("א" * 121, margins) is Doubt.TOO_LONG


def test_marks_take_no_room() -> None:
    """A pointed text is three times as long in code points as in letters."""
    assert doubt("אָ" * 140, replace(KNOWN, confidence=0.5)) is None
    assert doubt("אב" * 140, replace(KNOWN, confidence=0.5)) is Doubt.TOO_LONG


@given(st.text(max_size=60), st.text(max_size=60), st.floats(0, 1), st.floats(0, 1000))
def test_any_text_is_judged_and_a_confirmed_one_is_kept(
    text: str, read: str, confidence: float, wide: float
) -> None:
    """No text makes the rule fail."""
    evidence = Evidence(read, confidence, None, wide, frozenset("אב"))
    judge(text, evidence, LIMITS, Levenshtein.normalized_distance, confirmed=False)
    assert doubt(text, evidence, confirmed=True) is (None if text else Doubt.EMPTY)


def test_the_room_of_a_line_follows_its_baseline() -> None:
    """Level, slanted and upright: the same line has the same room; a line without extent has none."""
    level = room(((90, 5), (10, 5)), ((0, 0), (100, 0), (100, 20), (0, 20)))
    assert level == pytest.approx(5.0)
    upright = room(((5, 10), (5, 90)), ((0, 0), (0, 100), (20, 100), (20, 0)))
    assert upright == pytest.approx(5.0)
    slanted = room(((0, 0), (60, 80)), ((0, 0), (60, 80), (44, 92), (-16, 12)))
    assert slanted == pytest.approx(5.0)
    assert room((), ()) == 0.0
    assert room(((3, 3), (3, 3)), ((0, 0), (40, 0), (40, 20), (0, 20))) == pytest.approx(2.0)


def header(metadata: object) -> bytes:
    """Return the head of a safetensors file."""
    text = json.dumps({"__metadata__": metadata}).encode()
    return len(text).to_bytes(8, "little") + text


def test_the_alphabet_is_what_the_codec_of_a_kraken_file_maps() -> None:
    """Ligatures of several characters count by character; a file that says nothing has no alphabet."""
    kraken = json.dumps({"net": {"codec": {"א": [1], "בג": [2, 3]}}})
    assert alphabet_of(header({"kraken_meta": kraken})) == "אבג"
    for silent in ({}, {"kraken_meta": "[]"}, {"kraken_meta": "{}"}, {"kraken_meta": '{"n": {}}'}, 7, None):
        assert alphabet_of(header(silent)) is None
    assert alphabet_of(b"") is None
    assert alphabet_of(b"\xff" * 40) is None
