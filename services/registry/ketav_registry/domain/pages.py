"""Pages and their images."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.models import Model, Script
from ketav_registry.domain.requests import Request
from ketav_registry.domain.transcriptions import Transcription

MEDIA_TYPES = frozenset({"image/png", "image/jpeg"})


class Layout(StrEnum):
    """What an uploaded image shows."""

    PAGE = "page"
    LINE = "line"


class PageState(StrEnum):
    """What has become of a page."""

    STORED = "stored"
    READ = "read"


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
    request: Request = field(default_factory=Request)
    model_version: str = ""


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page and the model that reads it now."""

    page: Page
    model: Model


def image_key(page_id: UUID) -> str:
    """Name the object of a page's image: no two pages share one, so it can go with its page."""
    return f"images/{page_id.hex[:2]}/{page_id}"


def digest_key(sha256: bytes) -> str:
    """Name the object of an image stored before pages had objects of their own: by its digest."""
    digest = sha256.hex()
    return f"images/{digest[:2]}/{digest}"
