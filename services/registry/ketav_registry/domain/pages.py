"""Projects, pages, their lines and the corrections of them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from unicodedata import is_normalized
from uuid import UUID

from ketav_common.limits import MAX_LINE_CODE_POINTS
from ketav_registry.domain.models import Model, Script
from ketav_registry.domain.quarantine import Quarantine

MEDIA_TYPES = frozenset({"image/png", "image/jpeg"})

# How far single precision may carry a confidence out of 0 to 1.
_ROUNDING = 1e-4

Polyline = tuple[tuple[int, int], ...]


class Layout(StrEnum):
    """What an uploaded image shows."""

    PAGE = "page"
    LINE = "line"


class Origin(StrEnum):
    """Where the text of a correction comes from."""

    USER = "user"
    IMPORTED = "imported"


class PageState(StrEnum):
    """What has become of a page."""

    STORED = "stored"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Request:
    """A client's Idempotency-Key with the SHA-256 of what it sent; an empty key repeats nothing."""

    request_id: str = ""
    sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image: size in pixels, media type, SHA-256 and length in bytes of the stored file, its key."""

    width: int
    height: int
    media_type: str
    sha256: bytes
    size_bytes: int
    key: str = ""


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


@dataclass(frozen=True, slots=True)
class Project:
    """A group of pages in one hand."""

    project_id: UUID
    name: str
    script: Script
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """An uploaded image and the latest reading of it."""

    page_id: UUID
    project_id: UUID
    image: Image
    layout: Layout
    state: PageState
    create_time: datetime
    transcription: Transcription | None = None


@dataclass(frozen=True, slots=True)
class NewPage:
    """What is known of a page before its bytes; project_id None creates a project.

    `model_version` is the version to read it with; empty: the one that serves.
    """

    project_id: UUID | None
    project_name: str
    script: Script
    layout: Layout
    image: Image
    request: Request = Request()
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is written on a line, in logical order; whether the user vouches for it; why it looks wrong."""

    line_id: UUID
    text: str
    confirmed: bool = False
    quarantine: Quarantine | None = None
    origin: Origin = Origin.USER


@dataclass(frozen=True, slots=True)
class Unaligned:
    """A text that found no line (line_id None) or a line that found no text (text empty), and why."""

    text: str
    line_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of submitted corrections."""

    feedback_id: UUID
    accepted_lines: int
    unaligned: tuple[Unaligned, ...]
    ground_truth_lines: int
    quarantined: tuple[Correction, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page and the model that reads it now."""

    page: Page
    model: Model


# Where a list goes on: the time and key of the last row of the previous answer.
After = tuple[datetime, UUID]


def image_key(page_id: UUID) -> str:
    """Name the object of a page's image: no two pages share one, so it can go with its page."""
    return f"images/{page_id.hex[:2]}/{page_id}"


def digest_key(sha256: bytes) -> str:
    """Name the object of an image stored before pages had objects of their own: by its digest."""
    digest = sha256.hex()
    return f"images/{digest[:2]}/{digest}"


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
