"""The findings of a check: what is wrong with which object or row, and what a repair does."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class FindingKind(StrEnum):
    """Kind of a finding, as the output names it."""

    IMAGE_MISSING = "image-missing"
    IMAGE_DAMAGED = "image-damaged"
    DOCUMENT_MISSING = "document-missing"
    DOCUMENT_DAMAGED = "document-damaged"
    MODEL_MISSING = "model-missing"
    MODEL_DAMAGED = "model-damaged"
    ORPHAN = "orphan"
    ACTIVE_MODEL = "active-model"
    NO_BASE = "no-base-model"
    RUN_WITHOUT_LEASE = "run-without-lease"
    RUN_EXHAUSTED = "run-exhausted"


SENTENCES = {
    FindingKind.IMAGE_MISSING: "The image of the page is missing. Restore it, or delete the page.",
    FindingKind.IMAGE_DAMAGED: "The image differs from its SHA-256. Restore it, or delete the page.",
    FindingKind.DOCUMENT_MISSING: "The document of the job is missing. Restore it, or its pages fail.",
    FindingKind.DOCUMENT_DAMAGED: "The document differs from its SHA-256. Restore it, or its pages fail.",
    FindingKind.MODEL_MISSING: "The model's file is missing. A repair retires it; the last base stays.",
    FindingKind.MODEL_DAMAGED: "The file differs from its SHA-256. A repair retires it; the last base stays.",
    FindingKind.ORPHAN: "No row refers to the object. A repair deletes it.",
    FindingKind.ACTIVE_MODEL: "The active version never serves. A repair activates an ancestor or the base.",
    FindingKind.NO_BASE: "No base serves the script. Import one with `ketav admin models import`.",
    FindingKind.RUN_WITHOUT_LEASE: "The run has no lease. A repair lets the next sweep continue it.",
    FindingKind.RUN_EXHAUSTED: "The queued run has no attempts left. A repair ends it as failed.",
}
"""What is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `subject`: an object's key, the id of a page, job or run, or a version."""

    kind: FindingKind
    subject: str
    user_id: UUID | None = None
    repaired: bool = False

    @property
    def sentence(self) -> str:
        """Return what is wrong, and what to do."""
        return SENTENCES[self.kind]


@dataclass
class Report:
    """The counts of what was checked, and the findings."""

    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: FindingKind, subject: object, user_id: UUID | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(kind, str(subject), user_id))

    @property
    def unrepaired(self) -> int:
        """Return the number of findings that remain."""
        return sum(not finding.repaired for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Scope:
    """The extent of a check: whether contents are hashed, and the time before which an orphan was stored."""

    hashes: bool
    orphans_before: datetime
