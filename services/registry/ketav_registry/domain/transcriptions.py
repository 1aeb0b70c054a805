"""Transcriptions and their lines."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from unicodedata import is_normalized
from uuid import UUID

from ketav_common.limits import MAX_LINE_CODE_POINTS
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.models import Model
from ketav_registry.domain.requests import RequestKey

_CONFIDENCE_TOLERANCE = 1e-4
"""Distance by which a confidence may leave 0 to 1: it arrives in single precision, and is rounded."""

Polyline = tuple[tuple[int, int], ...]


class RegionType(StrEnum):
    """Types of lines on their page, in the words of PAGE 2019-07-15."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    HEADER = "header"
    FOOTER = "footer"
    PAGE_NUMBER = "page-number"
    MARGINALIA = "marginalia"


class LineKey(NamedTuple):
    """Identity of a line across the transcriptions of a page: its page and the digest of its geometry."""

    page_id: UUID
    geometry_sha256: bytes


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line; `start` and `end` are code point offsets in the line's text."""

    text: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ImportedWord:
    """A word of an imported line, and the polygon around it in pixels of the stored image."""

    text: str
    boundary: Polyline


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a transcription; points are pixels of the stored image, confidences 0 to 1."""

    order: int
    baseline: Polyline
    boundary: Polyline
    text: str
    confidence: float
    character_confidences: tuple[float, ...] = ()
    words: tuple[Word, ...] = ()
    character_extents: tuple[tuple[int, int], ...] = ()
    """Pixels along the line from the left end of its baseline, for each code point; empty: not known."""
    imported_words: tuple[ImportedWord, ...] = ()
    """Words of the document from which the line was imported; empty: there is none, or it has no words."""
    line_id: UUID | None = None
    corrected_text: str | None = None
    quarantine: Quarantine | None = None
    verified_text: str | None = None
    region: RegionType = RegionType.PARAGRAPH
    correction_id: UUID | None = None
    author: str = ""
    """Name of the account that submitted the latest correction."""
    replaces: tuple[bytes, ...] = ()
    """Digests of the geometry of the lines that an edited line replaces, and of those that they replaced."""


@dataclass(frozen=True, slots=True)
class Transcription:
    """The lines that one model read on a page; without a model, the lines of an import."""

    transcription_id: UUID
    model: Model | None
    lines: tuple[Line, ...]
    create_time: datetime
    edited_from: UUID | None = None
    """The transcription whose lines its user edited; None: a reading or an import."""


@dataclass(frozen=True, slots=True)
class EditedLine:
    """A line of an edited page: one that stays (`line_id`), or a new one that replaces others.

    `corrected_text`: its text as the corrections of the replaced lines decide it; None: it is uncorrected.
    """

    line_id: UUID | None = None
    new_line: Line | None = None
    corrected_text: str | None = None
    replaced_line_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class EditRequest:
    """A page, and the identity of the request that edits its lines or undoes an edit."""

    project_id: UUID
    page_id: UUID
    key: RequestKey


@dataclass(frozen=True, slots=True)
class LineEdit:
    """The latest transcription of a page as the user has seen it, and all its lines after the edit."""

    request: EditRequest
    transcription_id: UUID
    lines: Sequence[EditedLine]


def line_problem(line: Line) -> str:
    """Return why a line cannot be stored ("has more than …"); empty when it can."""
    text, length = line.text, len(line.text)
    confidences = [line.confidence, *line.character_confidences, *(word.confidence for word in line.words)]
    low, high = -_CONFIDENCE_TOLERANCE, 1 + _CONFIDENCE_TOLERANCE
    checks = {
        f"has more than {MAX_LINE_CODE_POINTS:,} code points": length <= MAX_LINE_CODE_POINTS,
        "contains a NUL": "\0" not in text,
        "is not in Unicode NFC": is_normalized("NFC", text),
        "does not have one confidence for each code point": len(line.character_confidences) in {0, length},
        "does not have one extent for each code point": len(line.character_extents) in {0, length},
        "has a character that ends before it starts": all(s <= e for s, e in line.character_extents),
        "has a confidence outside 0 to 1": all(low <= confidence <= high for confidence in confidences),
        "has a word that is not the text between its offsets": all(
            0 <= word.start < word.end <= length and text[word.start : word.end] == word.text
            for word in line.words
        ),
    }
    return next((problem for problem, passed in checks.items() if not passed), "")


def geometry_digests(lines: Iterable[Line]) -> list[bytes]:
    """Return a SHA-256 of each line's geometry.

    A line has the same digest in every transcription of its page. Lines of one transcription with equal
    geometry differ by their number of occurrence.
    """
    occurrences: Counter[str] = Counter()
    digests = []
    for line in lines:
        geometry = json.dumps([line.baseline, line.boundary], separators=(",", ":"))
        digests.append(hashlib.sha256(f"{geometry}#{occurrences[geometry]}".encode()).digest())
        occurrences[geometry] += 1
    return digests
