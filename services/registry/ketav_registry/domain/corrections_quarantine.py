"""Quarantine: corrections that look wrong are stored and shown, and train only when the user confirms them.

The checks, in this order: the correction has a text; the model can write it; the line has room for it; it has
something in common with the reading, if the confidence of the reading is high. `bench/quarantine.py` measures
the default limits on synthetic lines.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import hypot

from ketav_common.text import listed, measured, unwritable

Distance = Callable[[str, str], float]

_MIN_ROOM_LETTERS = 10
"""Letters for which every line has room, however small its boundary is."""
_FINAL_LETTERS = "ךםןףץ"
_MIN_REVERSAL_GAIN = 0.4
"""Distance from the reading by which a reversed text must be nearer than the text itself."""
_COMMON_CATEGORIES = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm"})
"""Unicode categories of signs that occur in any writing: punctuation, currency, arithmetic."""
_ADVICE = "Send the line again with the right text, or confirm this text if it is right."


class QuarantineCode(StrEnum):
    """Stable code of the reason for a quarantine."""

    EMPTY_TEXT = "empty-text"
    OUTSIDE_ALPHABET = "outside-alphabet"
    TOO_LONG_FOR_LINE = "too-long-for-line"
    UNLIKE_READING = "unlike-reading"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The reason why a correction does not train: a code, and sentences for the user."""

    code: QuarantineCode
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantineLimits:
    """Limits beyond which a correction looks wrong.

    A text of at least `min_letters` may differ by `max_distance` (0 to 1) from a reading whose confidence is
    at least `min_confidence` (0 to 1). A part of a line that is as wide as the line is high has room for
    `letters_per_square` letters.
    """

    max_distance: float = 0.7
    min_confidence: float = 0.8
    min_letters: int = 5
    letters_per_square: float = 12.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts about a line that its correction is compared with.

    `reading` is the model's text with its mean `confidence`; `verified_text` the text that the user has
    verified before, if any; `squares` the line's width divided by its height; `alphabet` the characters that
    the model to be trained can write, None when they are unknown.
    """

    reading: str
    confidence: float
    verified_text: str | None
    squares: float
    alphabet: frozenset[str] | None


def check_correction(
    text: str, evidence: Evidence, limits: QuarantineLimits, distance: Distance, *, confirmed: bool
) -> Quarantine | None:
    """Return the reason to quarantine a clean text; None when there is none.

    A text that the user confirms passes, unless it is empty: a line without text cannot train. `distance` is
    0 for equal texts and 1 for texts that have nothing in common.
    """
    if not measured(text):
        return Quarantine(
            QuarantineCode.EMPTY_TEXT,
            "The correction has no text, so no model can train on it. Send the line again with its text.",
        )
    if confirmed or text == evidence.verified_text:
        return None
    return (
        _check_alphabet(text, evidence.alphabet)
        or _check_order(text, evidence.reading, limits, distance)
        or _check_length(text, evidence, limits)
        or _check_reading(text, evidence, limits, distance)
    )


def _check_alphabet(text: str, alphabet: frozenset[str] | None) -> Quarantine | None:
    """Return a quarantine for letters of other scripts, which the model cannot write."""
    if alphabet is None:
        return None
    foreign = "".join(sign for sign in unwritable(text, alphabet) if not _is_common(sign))
    if not foreign:
        return None
    return Quarantine(QuarantineCode.OUTSIDE_ALPHABET, f"The model cannot write {listed(foreign)}. {_ADVICE}")


def _is_common(sign: str) -> bool:
    """Return whether a sign is Hebrew or occurs in any writing: a training can add it to a model."""
    return "\u0590" <= sign <= "\u05ff" or unicodedata.category(sign) in _COMMON_CATEGORIES


def _check_order(text: str, reading: str, limits: QuarantineLimits, distance: Distance) -> Quarantine | None:
    """Return a quarantine for a text in visual order: its letters are reversed.

    Final letters begin its words, or the reversed text is much nearer to the reading.
    """
    words = [word for word in measured(text).split() if len(word) > 1]
    beginning = sum(word[0] in _FINAL_LETTERS for word in words)
    ending = sum(word[-1] in _FINAL_LETTERS for word in words)
    is_reversed = beginning > ending
    if len(reading) >= limits.min_letters:
        gain = distance(reading, text) - distance(reading, text[::-1])
        is_reversed = gain > _MIN_REVERSAL_GAIN or (is_reversed and gain >= 0)
    if not is_reversed:
        return None
    return Quarantine(
        QuarantineCode.UNLIKE_READING,
        f"The letters of the text are in visual order: they are reversed. {_ADVICE}",
    )


def _check_length(text: str, evidence: Evidence, limits: QuarantineLimits) -> Quarantine | None:
    """Return a quarantine for a text that is too long for the line and much longer than its reading."""
    letters = _count_letters(text)
    room = max(
        limits.letters_per_square * evidence.squares,
        2 * _count_letters(evidence.reading),
        _MIN_ROOM_LETTERS,
    )
    if letters <= room:
        return None
    return Quarantine(
        QuarantineCode.TOO_LONG_FOR_LINE,
        f"The text has {letters} letters, and the line has room for {int(room)}. {_ADVICE}",
    )


def _count_letters(text: str) -> int:
    """Count the code points of a text without its combining marks, which need no width."""
    return sum(not unicodedata.combining(sign) for sign in measured(text))


def _check_reading(
    text: str, evidence: Evidence, limits: QuarantineLimits, distance: Distance
) -> Quarantine | None:
    """Return a quarantine for a text that has almost nothing in common with a reading of high confidence."""
    longest = max(len(text), len(evidence.reading))
    if evidence.confidence < limits.min_confidence or longest < limits.min_letters:
        return None
    texts = (
        [evidence.reading] if evidence.verified_text is None else [evidence.reading, evidence.verified_text]
    )
    if min(distance(other, text) for other in texts) <= limits.max_distance:
        return None
    return Quarantine(
        QuarantineCode.UNLIKE_READING,
        "The text has almost nothing in common with the reading, whose confidence is "
        f"{evidence.confidence:.0%}. {_ADVICE}",
    )


def count_squares(baseline: tuple[tuple[int, int], ...], boundary: tuple[tuple[int, int], ...]) -> float:
    """Return a line's width divided by its height: its boundary's extent along and across the baseline.

    Points are pixels. Without a boundary the result is 0.
    """
    if not boundary:
        return 0.0
    ends = (baseline[0], baseline[-1]) if baseline and baseline[0] != baseline[-1] else ((0, 0), (1, 0))
    dx, dy = ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]
    along = [x * dx + y * dy for x, y in boundary]
    across = [y * dx - x * dy for x, y in boundary]
    return (max(along) - min(along)) / max(max(across) - min(across), hypot(dx, dy))
