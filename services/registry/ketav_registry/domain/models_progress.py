"""How far what was read at first lay from what the user finally wrote."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ketav_common.metrics import ErrorRate, Pair, cer
from ketav_registry.domain.models import Model, Script


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page with the model that read it first, and when."""

    page_id: UUID
    project_id: UUID
    script: Script
    model: Model
    read_time: datetime
    create_time: datetime


@dataclass(frozen=True, slots=True)
class ReadingErrors:
    """Lines compared, with the edits and the length of their verified texts in code points."""

    lines: int
    rate: ErrorRate


@dataclass(frozen=True, slots=True)
class PageProgress:
    """How well a page was read at first."""

    page: ReadPage
    errors: ReadingErrors


@dataclass(frozen=True, slots=True)
class VersionProgress:
    """How well a version read the pages of a script that it was the first to read."""

    model: Model
    script: Script
    pages: int
    errors: ReadingErrors
    first_read_time: datetime
    last_read_time: datetime


def compare(pairs: list[Pair]) -> ReadingErrors:
    """Count the edits from (verified, read) pairs of texts."""
    return ReadingErrors(len(pairs), cer(pairs))
