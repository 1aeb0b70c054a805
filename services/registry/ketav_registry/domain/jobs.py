"""Jobs: the reading of many pages, and exports, in the background, with their states and bounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.jobs_exports import Export, JobError
from ketav_registry.domain.models import Script
from ketav_registry.domain.pages import Layout
from ketav_registry.domain.requests import RequestKey

MAX_ATTEMPTS = 5
"""Attempts to read a page after which it fails, as for a training run: a page that kills readers ends."""
MAX_WAITING_PAGES = 3_000
"""Unread pages of a user's jobs: ten full documents, two to three hours of one reader."""
JOB_LIFETIME = timedelta(hours=24)
"""Time after which pages that still wait fail: longer than any outage that ends by itself."""
RETENTION = timedelta(days=30)
"""Time after which a job that has ended is deleted; its pages and transcriptions stay."""


class JobKind(StrEnum):
    """The kind of work of a job."""

    READING = "reading"
    EXPORT = "export"


class JobState(StrEnum):
    """State of a job; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTLY_FAILED = "partly_failed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobPageState(StrEnum):
    """State of a page of a job; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    READ = "read"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_JOBS = (JobState.QUEUED, JobState.RUNNING)
"""States of a job that has not ended."""
ACTIVE_PAGES = (JobPageState.QUEUED, JobPageState.RUNNING)
"""States of a page that has no outcome yet."""


TOO_MANY_ATTEMPTS = JobError(
    "too-many-attempts",
    f"Reading the page was interrupted {MAX_ATTEMPTS} times. Send it at a lower resolution or in parts.",
)
OUT_OF_TIME = JobError(
    "out-of-time",
    f"The page was not read within {JOB_LIFETIME // timedelta(hours=1)} hours. Start the job again.",
)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of a job: its position from 1, the stored page, state, claims, and the latest error."""

    position: int
    page_id: UUID | None
    state: JobPageState
    attempts: int
    error: JobError


@dataclass(frozen=True, slots=True)
class Job:
    """A job with its counts; `pages` is empty unless they were loaded, and `export` that of an export."""

    job_id: UUID
    user_id: UUID
    project_id: UUID
    state: JobState
    revision: int
    page_count: int
    pages_read: int
    pages_failed: int
    cancel_requested: bool
    create_time: datetime
    update_time: datetime
    expire_time: datetime
    kind: JobKind = JobKind.READING
    pages: tuple[JobPage, ...] = ()
    export: Export | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """The stored file of a job whose pages are stored by the workers."""

    key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """Options of the reading of a job; `turn` is in degrees clockwise, an empty version the serving one."""

    layout: Layout = Layout.PAGE
    model_version: str = ""
    turn: int = 0
    detect_turn: bool = False


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to create over stored pages, or over a document of `page_count` pages and `size_bytes` bytes.

    Project, name, script and hand are those of an upload (`NewPage`).
    """

    project_id: UUID | None
    project_name: str = ""
    script: Script | None = None
    hand: str = ""
    options: ReadingOptions = field(default_factory=ReadingOptions)
    page_ids: tuple[UUID, ...] = ()
    page_count: int = 0
    size_bytes: int = 0
    request: RequestKey = field(default_factory=RequestKey)


@dataclass(frozen=True, slots=True)
class FencedPage:
    """A page of a job with the fence of a claim: its worker may change it while no later claim exists."""

    job_id: UUID
    position: int
    fence: int


@dataclass(frozen=True, slots=True)
class ClaimedPage:
    """A page that a worker reads now."""

    page: FencedPage
    user_id: UUID
    project_id: UUID
    page_id: UUID | None
    page_count: int
    options: ReadingOptions
    document_sha256: bytes
    lease: timedelta
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason of a failed attempt, whether and when there is another one, and whether this one counts."""

    error: JobError
    retry: bool = False
    pause: timedelta = timedelta()
    counts: bool = True


@dataclass(frozen=True, slots=True)
class SweptJobs:
    """The result of a sweep: expired leases, jobs that it has changed, and pages that can be claimed now."""

    expired_leases: int
    repaired: tuple[Job, ...]
    waiting_pages: int


def document_key(job_id: UUID) -> str:
    """Return the key of a job's document."""
    return f"documents/{job_id.hex[:2]}/{job_id}"


def job_state(pages: Mapping[JobPageState, int], *, cancel_requested: bool) -> JobState:
    """Return the state of a job with these numbers of pages in each state."""
    active = sum(pages.get(state, 0) for state in ACTIVE_PAGES)
    read, failed = pages.get(JobPageState.READ, 0), pages.get(JobPageState.FAILED, 0)
    cancelled = pages.get(JobPageState.CANCELLED, 0)
    if active:
        started = read or failed or pages.get(JobPageState.RUNNING, 0) or cancel_requested
        return JobState.RUNNING if started else JobState.QUEUED
    if cancelled:
        return JobState.CANCELLED
    if not failed:
        return JobState.SUCCEEDED
    return JobState.PARTLY_FAILED if read else JobState.FAILED
