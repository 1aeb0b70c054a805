"""Transcriptions and their lines."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from unicodedata import is_normalized
from uuid import UUID

from ketav_common.limits import MAX_LINE_CODE_POINTS
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.models import Model

# How far single precision may carry a confidence out of 0 to 1.
_ROUNDING = 1e-4

Polyline = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line; start and end are code points of the line's text."""

    text: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was found and read; points are pixels of the stored image, confidences 0 to 1."""

    order: int
    baseline: Polyline
    boundary: Polyline
    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    words: tuple[Word, ...] = ()
    line_id: UUID | None = None
    corrected_text: str | None = None
    quarantine: Quarantine | None = None


@dataclass(frozen=True, slots=True)
class Transcription:
    """A reading of a page by one model; None: its lines were imported, no model has read them."""

    transcription_id: UUID
    model: Model | None
    lines: tuple[Line, ...]
    create_time: datetime


def is_sound(line: Line) -> bool:
    """Say whether a reading can be stored: NFC within bounds, offsets within the text, confidences 0 to 1."""
    text, length = line.text, len(line.text)
    confidences = [line.confidence, *line.character_confidences, *(word.confidence for word in line.words)]
    return (
        length <= MAX_LINE_CODE_POINTS
        and "\0" not in text
        and is_normalized("NFC", text)
        and len(line.character_confidences) in {0, length}
        and all(-_ROUNDING <= confidence <= 1 + _ROUNDING for confidence in confidences)
        and all(text[word.start : word.end] == word.text for word in line.words)
        and all(0 <= word.start < word.end <= length for word in line.words)
    )


def places(lines: Iterable[Line]) -> list[bytes]:
    """Digest where each line lies on its page, so that a later reading finds the same line again.

    Lines of one reading with the same geometry are told apart by their occurrence.
    """
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        geometry = json.dumps([line.baseline, line.boundary], separators=(",", ":"))
        found.append(hashlib.sha256(f"{geometry}#{seen[geometry]}".encode()).digest())
        seen[geometry] += 1
    return found
