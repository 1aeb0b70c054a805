"""Corrections of lines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.erasure import Erasure


class Origin(StrEnum):
    """Source of a correction: typed by the user, or imported with ground truth."""

    USER = "user"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Correction:
    """The text of a line in logical order, whether the user confirmed it, and its quarantine, if any.

    `withdrawn`: it has no text and ends the corrections before it; the line counts as uncorrected.
    `withdrawn_by_edit`: an edit of the page's lines has withdrawn it, and undoing the edit restores it.
    `seen_correction_id`: the latest correction that the user has seen, empty for none; None: any.
    `author_feedback_id`: the feedback whose author wrote the text; None: the one that inserts it.
    """

    line_id: UUID
    text: str
    confirmed: bool = False
    quarantine: Quarantine | None = None
    origin: Origin = Origin.USER
    withdrawn: bool = False
    seen_correction_id: str | None = None
    withdrawn_by_edit: bool = False
    author_feedback_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UnalignedLine:
    """A text without a matching line (no line_id) or a line without a matching text (empty text)."""

    text: str
    line_id: UUID | None
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line whose text may not be stored: by its id, or by its number in the text of a page, from 1."""

    line_id: UUID | None
    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UntrainedLine:
    """A line that does not train although its text counts, and the reason, in sentences."""

    line_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class StoredCorrection:
    """A correction of a line's history; the author is the name of an account, empty after its deletion.

    `author_feedback_id` is the feedback in which the author wrote the text. `restored_by` is the name of the
    account that restored the text by undoing an edit of lines, empty where none did.
    """

    text: str
    confirmed: bool
    quarantine: Quarantine | None
    origin: Origin
    withdrawn: bool
    create_time: datetime
    withdrawn_by_edit: bool = False
    author: str = ""
    author_feedback_id: UUID | None = None
    restored_by: str = ""

    @property
    def decides(self) -> bool:
        """Return whether it decides the text of its line, as `repository.corrections.DECIDES` does."""
        return self.quarantine is None or self.confirmed


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawn correction: the user's verified lines after it, and the consequences for models."""

    line_id: UUID
    ground_truth_lines: int
    consequences: Erasure


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
    refused: tuple[RefusedLine, ...] = ()
    untrained: tuple[UntrainedLine, ...] = ()
