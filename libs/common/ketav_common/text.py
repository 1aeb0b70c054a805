"""The policy of stored text: Unicode NFC, logical order, no invisible control characters.

Kept: niqqud and te'amim as written, LRM and RLM, maqaf, geresh, gershayim. Decomposed: the Hebrew
presentation forms U+FB1D-FB4F (Unicode Standard, chapter 9.1). Refused: C0/C1 controls, bidi embeddings,
overrides and isolates (UAX #9), surrogates, noncharacters, and more than 16 combining marks on one letter
(the stream-safe format of UAX #15 stops at 30).
"""

import re
import unicodedata

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_LINE_CODE_POINTS

MAX_MARKS = 16
"""Combining marks on one letter: with niqqud and te'amim a letter has a few."""
_FORBIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_CODES = {range(0x202A, 0x202F): "bidi-override", range(0x2066, 0x206A): "bidi-override"}
_PRESENTATION = re.compile("[\ufb1d-\ufb4f]")
_NIQQUD = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")


def clean(text: str, *, max_length: int = MAX_LINE_CODE_POINTS, what: str = "text") -> str:
    """Return one line of text in stored form: NFC, presentation forms decomposed, outer white space removed.

    Raises InvalidInput with code text-too-long, bidi-override, control-character or too-many-marks.
    """
    if len(text) > max_length:
        raise _too_long(what, max_length)
    _refuse_controls(text, what)
    text = _PRESENTATION.sub(lambda match: unicodedata.normalize("NFKD", match.group()), text)
    text = unicodedata.normalize("NFC", text).strip()
    _refuse_stacked_marks(text, what)
    if len(text) > max_length:
        raise _too_long(what, max_length)
    return text


def _too_long(what: str, max_length: int) -> InvalidInput:
    """Return the error of a text that is too long."""
    return InvalidInput(
        f"The {what} has more than {max_length:,} code points. Shorten it.", code="text-too-long"
    )


def _refuse_controls(text: str, what: str) -> None:
    """Raise InvalidInput for the first character that may not be stored."""
    match = _FORBIDDEN.search(text)
    if match is None:
        return
    point = ord(match.group())
    code = next((name for span, name in _CODES.items() if point in span), "control-character")
    raise InvalidInput(
        f"The {what} has U+{point:04X} at code point {match.start()}. Remove this character.",
        code=code,
    )


def _refuse_stacked_marks(text: str, what: str) -> None:
    """Raise InvalidInput when more than MAX_MARKS combining marks follow one another."""
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MAX_MARKS:
            raise InvalidInput(
                f"The {what} has more than {MAX_MARKS} combining marks on one letter. Remove some.",
                code="too-many-marks",
            )


def strip_niqqud(text: str) -> str:
    """Return NFC text without Hebrew points and accents; maqaf, paseq and sof pasuq stay."""
    return unicodedata.normalize("NFC", _NIQQUD.sub("", unicodedata.normalize("NFD", text)))
