"""Progress of models: the errors of the first transcription of each page."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ketav_common.error_rates import ErrorRate, Pair, cer
from ketav_registry.domain.models import Model
from ketav_registry.domain.projects_hands import Hand


@dataclass(frozen=True, slots=True)
class FirstReading:
    """A page with the model of its first transcription; `create_time` is the page's."""

    page_id: UUID
    project_id: UUID
    hand: Hand
    model: Model
    read_time: datetime
    create_time: datetime


@dataclass(frozen=True, slots=True)
class ReadingErrors:
    """Number of compared lines, with the edits and the length of their verified texts in code points."""

    lines: int
    rate: ErrorRate


@dataclass(frozen=True, slots=True)
class PageProgress:
    """The errors of a page's first transcription."""

    reading: FirstReading
    errors: ReadingErrors


@dataclass(frozen=True, slots=True)
class VersionProgress:
    """The errors of a version on the pages of a hand that it was the first to read."""

    model: Model
    hand: Hand
    pages: int
    errors: ReadingErrors
    first_read_time: datetime
    last_read_time: datetime


def count_errors(pairs: list[Pair]) -> ReadingErrors:
    """Count the edits between the texts of (verified, read) pairs."""
    return ReadingErrors(len(pairs), cer(pairs))
