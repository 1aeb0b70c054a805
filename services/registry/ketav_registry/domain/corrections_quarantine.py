"""Which corrections look wrong: kept and shown, but not trained on until the user confirms them.

Asked in this order: has it a text at all, can the model write it, can it stand on the line, and has it
anything in common with what was read, where the model was sure. `bench/quarantine.py` measures the defaults
on synthetic lines.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import hypot

Distance = Callable[[str, str], float]

_SHOWN = 5
_LEAST_ROOM = 10
# Signs any writer may use, whatever the model knows: punctuation, currency, arithmetic, separators, LRM, RLM.
_COMMON = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sc", "Sm", "Zs", "Cf"})


class Doubt(StrEnum):
    """Why a correction is quarantined; stable codes."""

    EMPTY = "empty-text"
    FOREIGN = "outside-alphabet"
    TOO_LONG = "too-long-for-line"
    UNLIKE = "unlike-reading"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a correction is not trained on: the code, and a sentence for the user."""

    doubt: Doubt
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a correction may be from what is plausible.

    `distance` (0 to 1) from a reading of at least `confidence` (0 to 1), for texts of at least `letters`;
    `crowding`, letters that may stand on a piece of line as wide as the line is high.
    """

    distance: float = 0.7
    confidence: float = 0.8
    letters: int = 5
    crowding: float = 12.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a correction is judged by.

    `read` is the model's text with its mean `confidence`, `verified` what the user has said of the line
    before (None: nothing that counts), `room` the line's width divided by its height, `alphabet` what the
    model that would be trained can write (None: not known).
    """

    read: str
    confidence: float
    verified: str | None
    room: float
    alphabet: frozenset[str] | None


def judge(
    text: str, evidence: Evidence, limits: Limits, distance: Distance, *, confirmed: bool
) -> Quarantine | None:
    """Return why a clean text should not be trained on; None when nothing speaks against it.

    What a user confirms is believed, but a line without text teaches nothing. `distance` is 0 for equal
    texts and 1 for texts that have nothing in common.
    """
    if not text:
        return Quarantine(Doubt.EMPTY, "The line was given no text; there is nothing to learn from it.")
    if confirmed or text == evidence.verified:
        return None
    return (
        _foreign(text, evidence.alphabet)
        or _too_long(text, evidence, limits)
        or _unlike(text, evidence, limits, distance)
    )


def _foreign(text: str, alphabet: frozenset[str] | None) -> Quarantine | None:
    """Doubt letters of other scripts, which the model cannot write."""
    if alphabet is None:
        return None
    foreign = sorted({sign for sign in text if sign not in alphabet and not _is_common(sign)})
    if not foreign:
        return None
    named = ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in foreign[:_SHOWN])
    more = " and others" if len(foreign) > _SHOWN else ""
    return Quarantine(Doubt.FOREIGN, f"The model cannot write {named}{more}.")


def _is_common(sign: str) -> bool:
    """Say whether a sign belongs to Hebrew writing or to any writing: a training may add it to a model."""
    return "\u0590" <= sign <= "\u05ff" or unicodedata.category(sign) in _COMMON


def _too_long(text: str, evidence: Evidence, limits: Limits) -> Quarantine | None:
    """Doubt a text that cannot stand on the line, and is far longer than what was read there."""
    letters = _width(text)
    most = max(limits.crowding * evidence.room, 2 * _width(evidence.read), _LEAST_ROOM)
    if letters <= most:
        return None
    return Quarantine(
        Doubt.TOO_LONG, f"{letters} letters cannot stand on this line; at most {int(most)} could."
    )


def _width(text: str) -> int:
    """Count the code points that take up room."""
    return sum(not unicodedata.combining(sign) for sign in text)


def _unlike(text: str, evidence: Evidence, limits: Limits, distance: Distance) -> Quarantine | None:
    """Doubt a text that shares almost nothing with a reading the model was sure of."""
    if evidence.confidence < limits.confidence or max(len(text), len(evidence.read)) < limits.letters:
        return None
    known = [evidence.read] if evidence.verified is None else [evidence.read, evidence.verified]
    if min(distance(each, text) for each in known) <= limits.distance:
        return None
    sure = f"{evidence.confidence:.0%}"
    return Quarantine(
        Doubt.UNLIKE,
        f"The text has almost nothing in common with what was read, of which the model is {sure} sure.",
    )


def room(baseline: tuple[tuple[int, int], ...], boundary: tuple[tuple[int, int], ...]) -> float:
    """Return a line's width divided by its height: the boundary's extent along and across the baseline.

    Points are pixels; a boundary without extent has no room.
    """
    if not boundary:
        return 0.0
    ends = (baseline[0], baseline[-1]) if baseline and baseline[0] != baseline[-1] else ((0, 0), (1, 0))
    dx, dy = ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]
    along = [x * dx + y * dy for x, y in boundary]
    across = [y * dx - x * dy for x, y in boundary]
    return (max(along) - min(along)) / max(max(across) - min(across), hypot(dx, dy))
