"""The text policy: four forms of a text, each a function (docs/text.md).

`stored`: as it is kept and shown. `measured`: as error rates, the gate and the quarantine compare it,
without the characters that no hand writes. `trained`: as measured, in the signs of one model. `searched`: as
measured, without niqqud and with folded final letters.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_LINE_CODE_POINTS

MAX_MARKS: Final = 16
"""Combining marks on one letter: with niqqud and te'amim a letter has a few. The stream-safe format of UAX
#15 stops at 30."""
MIN_LINES_OF_NEW_SIGN: Final = 3
"""Training lines that must have a sign before a training adds it to a model: fewer may be a slip of the
pen."""
_FORBIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)
_CODES = {range(0x202A, 0x202F): "bidi-override", range(0x2066, 0x206A): "bidi-override"}
_BYTE_ORDER_MARK: Final = "\ufeff"
_AROUND = re.compile(
    "([\u200e\u200f\u061c]*)(?:[\u202a\u202b](.*)\u202c|[\u2066-\u2068](.*)\u2069)([\u200e\u200f\u061c]*)"
)
"""A line in an embedding or isolate (UAX #9, section 2), with LRM, RLM or ALM outside. An override is
none: it changes the order of the letters."""
_PRESENTATION = re.compile("[\ufb1d-\ufb4f]")
NIQQUD: Final = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
_GRAPHEME_JOINER: Final = "\u034f"
FINAL_LETTERS: Final = (("ך", "כ"), ("ם", "מ"), ("ן", "נ"), ("ף", "פ"), ("ץ", "צ"))
"""The letters with a final form, and the form that is searched."""
_FOLDED: dict[int, str] = {ord(final): letter for final, letter in FINAL_LETTERS}

_SIGNS: Final[dict[str, tuple[str, ...]]] = {
    "־": ("-",),
    "׀": ("|", ""),
    "׃": (":",),
    "׆": ("",),
    "׳": ("'",),
    "״": ('"',),
    "װ": ("וו",),
    "ױ": ("וי",),
    "ײ": ("יי",),
    "‐": ("-",),
    "‑": ("-",),
    "‒": ("–", "-"),
    "–": ("-",),
    "—": ("–", "-"),
    "―": ("–", "-"),
    "−": ("-",),
    "‘": ("'",),
    "’": ("'",),
    "‚": (",",),
    "‛": ("'",),
    "′": ("'",),
    "´": ("'",),
    "`": ("'",),
    "“": ("”", '"'),
    "”": ('"',),
    "„": ("”", '"'),
    "‟": ("”", '"'),
    "″": ('"',),
    "«": ('"',),
    "»": ('"',),
    "‹": ("'",),
    "›": ("'",),
    "…": ("...",),
    "₪": ('ש"ח',),
    "·": ("•", "."),
    "∙": ("•", "."),
    "●": ("•",),
    "▪": ("•",),
    "×": ("x",),
    "⁄": ("/",),
    "\\": ("/",),
    "{": ("(",),
    "}": (")",),
    "½": ("1/2",),
    "¼": ("1/4",),
    "¾": ("3/4",),
    "²": ("2",),
    "³": ("3",),
    "№": ("No",),
    "⇐": ("←",),
    "⇒": ("→",),
}
"""The substitutes of a sign for models that cannot write it: the first one that a model can write whole."""


def stored(text: str) -> str:
    """Return one line of text as it is stored: logical order, Unicode NFC; raises as `clean`.

    Removed: outer white space, byte order marks, and an embedding or isolate around the whole line. A tab
    becomes a space. Kept: niqqud and te'amim, LRM and RLM, maqaf, geresh, gershayim.
    """
    if len(text) > MAX_LINE_CODE_POINTS:
        raise _too_long("text", MAX_LINE_CODE_POINTS)
    return clean(_without_embedding(text.replace(_BYTE_ORDER_MARK, "").strip().replace("\t", " ")))


def clean(text: str, *, max_length: int = MAX_LINE_CODE_POINTS, what: str = "text") -> str:
    """Return a name or another text of one line in NFC without outer white space.

    The presentation forms U+FB1D-FB4F become letters and points (Unicode Standard, chapter 9.1). Raises
    InvalidInput: text-too-long; bidi-override for embeddings, isolates and overrides; control-character for
    C0, C1, separators of lines, surrogates, noncharacters; too-many-marks for more than MAX_MARKS on one.
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


def measured(text: str) -> str:
    """Return a text as it is compared: what ink can show, in NFC, with single spaces between the words.

    White space of every width becomes a space: Zs, Zl, Zp, and the controls that are white space (tab, LF,
    CR, VT, FF, U+001C-1F, NEL). Format characters (Cf: LRM, ZWJ, soft hyphen), the other controls and the
    combining grapheme joiner are removed, and so is white space at the ends.
    """
    characters = (_visible(character) for character in unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", " ".join("".join(characters).split()))


def trained(text: str, alphabet: Collection[str]) -> str:
    """Return a text as a model with this alphabet learns it: as measured, in the signs that it has.

    Niqqud, te'amim and accents that it lacks go. A sign for which the table has nothing stays: `unwritable`.
    """
    plain = measured(text)
    if all(character in alphabet for character in plain):
        return plain
    signs = unicodedata.normalize(
        "NFC", "".join(_writable(sign, alphabet) for sign in _decomposed(plain, alphabet))
    )
    return " ".join(signs.split())


def unwritable(text: str, alphabet: Collection[str]) -> str:
    """Return the signs of a text, sorted, that a model with this alphabet cannot learn; empty without any."""
    return "".join(sorted({sign for sign in trained(text, alphabet) if sign not in alphabet}))


def searched(text: str) -> str:
    """Return a text as it is searched: as measured, without niqqud, with the final letters folded."""
    return strip_niqqud(measured(text)).translate(_FOLDED)


def strip_niqqud(text: str) -> str:
    """Return NFC text without Hebrew points and accents; maqaf, paseq and sof pasuq stay."""
    return unicodedata.normalize("NFC", NIQQUD.sub("", unicodedata.normalize("NFD", text)))


def listed(signs: str, limit: int = 5) -> str:
    """Return signs with their code points for a sentence, at most `limit`: "× (U+00D7) and others"."""
    names = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in signs[:limit])
    return names + " and others" * (len(signs) > limit)


def _without_embedding(text: str) -> str:
    """Return a text without the embeddings and isolates around the whole of it."""
    while (match := _AROUND.fullmatch(text)) and _is_closed(inner := match[2] or match[3] or ""):
        text = (match[1] + inner.strip() + match[4]).strip()
    return text


def _is_closed(text: str) -> bool:
    """Return whether each embedding and isolate that begins in a text ends in it, and the reverse."""
    depth = 0
    for character in text:
        if "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069":
            depth += -1 if character in "\u202c\u2069" else 1
            if depth < 0:
                return False
    return depth == 0


def _visible(character: str) -> str:
    """Return a character as ink shows it: a space for any white space, nothing for an invisible one."""
    category = unicodedata.category(character)
    if character.isspace() or category in {"Zs", "Zl", "Zp"}:
        return " "
    return "" if category in {"Cf", "Cc"} or character == _GRAPHEME_JOINER else character


def _decomposed(text: str, alphabet: Collection[str]) -> str:
    """Return a text whose composed characters outside the alphabet are taken apart."""
    return "".join(sign if sign in alphabet else unicodedata.normalize("NFD", sign) for sign in text)


def _writable(sign: str, alphabet: Collection[str]) -> str:
    """Return the substitute of a sign in a model with this alphabet; the sign itself where there is none."""
    if sign in alphabet:
        return sign
    if unicodedata.combining(sign):
        return ""
    fitting = (other for other in _SIGNS.get(sign, ()) if all(character in alphabet for character in other))
    return next(fitting, sign)


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
