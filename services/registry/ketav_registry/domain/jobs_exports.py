"""Exports that jobs write: what they export, their results, and their bounds."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

MAX_ACTIVE_EXPORTS = 3
"""Exports of a user that wait or are written: a project, and two of its selections."""
MAX_STORED_RESULTS = 5
"""Results of a project that are kept: with them, a project takes at most six times the room of its images."""
RESULT_LIFETIME = timedelta(hours=24)
"""Time after which a result is removed: a day to download it, and no second archive of texts and images."""


@dataclass(frozen=True, slots=True)
class JobError:
    """The reason why work of a job failed: a code for programs, sentences for the user; empty without one."""

    code: str = ""
    detail: str = ""


DATA_DELETED = JobError(
    "data-deleted", "Data of the project was deleted while the export was written. Start the export again."
)
TOO_MANY_ATTEMPTS = JobError(
    "too-many-attempts", "Writing the export was interrupted five times. Export some of the images at a time."
)
OUT_OF_TIME = JobError("out-of-time", "The export was not written within 24 hours. Start it again.")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The stored file of an export, until it is removed."""

    key: str
    sha256: bytes
    size_bytes: int
    expire_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """An export that a job writes, its result, and why it or its latest attempt failed."""

    format: str
    page_ids: tuple[UUID, ...]
    images: bool
    result: ExportResult | None
    error: JobError


@dataclass(frozen=True, slots=True)
class NewExport:
    """An export to create: all pages of a project, or some in this order.

    `address` is the URL that the document names as its own, `base` that of the API.
    """

    project_id: UUID
    format: str
    page_ids: tuple[UUID, ...] = ()
    images: bool = False
    address: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class FencedExport:
    """An export with the fence of a claim: its writer may change it while no later claim exists."""

    job_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class ClaimedExport:
    """An export that a gateway writes now, with the rights of its creator, in the rows of the owner."""

    export: FencedExport
    owner_id: UUID
    creator_id: UUID
    new: NewExport
    lease: timedelta
    traceparent: str = ""


def export_key(owner_id: UUID, export: FencedExport) -> str:
    """Return the key of the result of a claim; no other claim has it."""
    return f"exports/{owner_id}/{export.job_id}/{export.fence}"
