"""Corrections of lines."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.corrections_quarantine import Quarantine


class Origin(StrEnum):
    """Where the text of a correction comes from."""

    USER = "user"
    IMPORTED = "imported"


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
