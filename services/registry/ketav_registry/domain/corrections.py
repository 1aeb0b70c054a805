"""Corrections of lines."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.corrections_quarantine import Quarantine


class Origin(StrEnum):
    """Source of a correction: typed by the user, or imported with ground truth."""

    USER = "user"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Correction:
    """The text of a line in logical order, whether the user confirmed it, and its quarantine, if any."""

    line_id: UUID
    text: str
    confirmed: bool = False
    quarantine: Quarantine | None = None
    origin: Origin = Origin.USER


@dataclass(frozen=True, slots=True)
class UnalignedLine:
    """A text without a matching line (no line_id) or a line without a matching text (empty text)."""

    text: str
    line_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """A stored set of corrections of one request.

    `ground_truth_lines` counts all verified lines of the user, `quarantined` lists corrections of this set.
    """

    feedback_id: UUID
    accepted_lines: int
    unaligned: tuple[UnalignedLine, ...]
    ground_truth_lines: int
    quarantined: tuple[Correction, ...] = ()
