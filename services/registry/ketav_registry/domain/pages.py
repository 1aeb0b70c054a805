"""Pages, their images, and the names of the images' objects."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.models import Model, Script
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import Transcription

MAX_READING_WARNINGS = 8
"""Warnings of one reading."""
_READING_WARNING = re.compile("reading-[a-z0-9-]{1,24}")
MEDIA_TYPES = frozenset({"image/png", "image/jpeg"})
"""Media types of stored images: the gateway converts every other format."""


def is_reading_warning(code: str) -> bool:
    """Return whether a code is a warning of a reading, and not of an upload."""
    return _READING_WARNING.fullmatch(code) is not None


def with_reading_warnings(present: Sequence[str], warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the warnings of an image with those of its latest reading instead of those of an earlier one."""
    return (*(code for code in present if not is_reading_warning(code)), *dict.fromkeys(warnings))


class Layout(StrEnum):
    """Layout of an uploaded image: a page, or a single line."""

    PAGE = "page"
    LINE = "line"


class PageState(StrEnum):
    """State of a page: stored without a transcription, or read at least once."""

    STORED = "stored"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Image:
    """A stored image: size in pixels, media type, SHA-256 and length in bytes of its object, object key."""

    width: int
    height: int
    media_type: str
    sha256: bytes
    size_bytes: int
    key: str = ""
    normalised: tuple[str, ...] = ()
    """Codes of what the upload was changed by."""
    warnings: tuple[str, ...] = ()
    """Codes of what is wrong with an upload that was read in part, and of what its latest reading omits."""


@dataclass(frozen=True, slots=True)
class Page:
    """An uploaded image with its latest transcription, if that was loaded."""

    page_id: UUID
    project_id: UUID
    image: Image
    layout: Layout
    state: PageState
    create_time: datetime
    fixed_rotation: bool = False
    """Whether the user has given the rotation, so that no reading turns the image."""
    transcription: Transcription | None = None


@dataclass(frozen=True, slots=True)
class NewPage:
    """The header of an upload. Without a project_id, the upload creates a project.

    `hand` is the name of the hand of its project, empty: the user's own hand in a new project, that of the
    project in an existing one. Without a script, a new project has that of its hand. `model_version` is the
    version to read the page with; empty: the version that serves the hand.
    """

    project_id: UUID | None
    project_name: str
    script: Script | None
    layout: Layout
    image: Image
    request: RequestKey = field(default_factory=RequestKey)
    model_version: str = ""
    hand: str = ""
    fixed_rotation: bool = False


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page and the model to read it with."""

    page: Page
    model: Model


def image_key(page_id: UUID) -> str:
    """Return the key of a page's image. No two pages share an object, so it can be deleted with its page."""
    return f"images/{page_id.hex[:2]}/{page_id}"


def digest_key(sha256: bytes) -> str:
    """Return the key of an image that was stored before migration 0005; pages share such objects."""
    digest = sha256.hex()
    return f"images/{digest[:2]}/{digest}"
