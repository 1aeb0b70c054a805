"""Uploads and what was read of them: an image has one page, a PDF or TIFF one or more."""

import mimetypes
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypedDict, Unpack

from ketav_client.errors import KetavError
from ketav_client.generated.models import (
    Job,
    OcrAcceptedResponse,
    OcrDocumentResponse,
    OcrResponse,
    RunOcrBody,
    RunOcrBodyLayout,
    RunOcrBodyRotate,
    RunOcrBodyScript,
)
from ketav_client.generated.types import File

UNKNOWN_TYPE = "application/octet-stream"
"""The server examines the content of a file, not its name."""
DOCUMENT_SUFFIXES = frozenset({".pdf", ".tif", ".tiff"})
"""Files that can have many pages: a job reads them."""
OcrResult = OcrResponse | OcrDocumentResponse | OcrAcceptedResponse | Job


class ReadingOptions(TypedDict, total=False):
    """Fields of an upload, as `POST /ocr/` describes them."""

    project_id: str
    name: str
    hand: str
    script: RunOcrBodyScript
    layout: RunOcrBodyLayout
    model: str
    rotate: RunOcrBodyRotate


@dataclass(frozen=True)
class ReadPage:
    """A page of an upload: its image, its text if it was read, and the sentences of its error if not."""

    image_id: str | None
    text: str | None
    error: str | None = None


@dataclass(frozen=True)
class Reading:
    """The pages of an upload in their order, and the project that has them."""

    project_id: str
    pages: list[ReadPage]

    @property
    def text(self) -> str:
        """Return the texts of all pages, joined by line feeds."""
        return "\n".join(page.text for page in self.pages if page.text is not None)


def upload(path: str | Path, **options: Unpack[ReadingOptions]) -> RunOcrBody:
    """Return the body of `POST /ocr/` for a file; raises OSError if it cannot be read."""
    path = Path(path)
    file = File(BytesIO(path.read_bytes()), path.name, mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE)
    return RunOcrBody(file, **options)


def is_document(path: str | Path) -> bool:
    """Return whether a job reads the file, because it can have many pages."""
    return Path(path).suffix.lower() in DOCUMENT_SUFFIXES


def job_id_of(response: OcrResult) -> str:
    """Return the id of the job that reads an upload; raises KetavError if no job does."""
    if isinstance(response, Job | OcrAcceptedResponse):
        return response.job_id
    raise KetavError(
        "The server has read this document without a job. It is older than this client: install the client "
        "of its version."
    )


def reading_of_page(response: OcrResponse) -> Reading:
    """Return the reading of an image that was read at once."""
    return Reading(response.project_id, [ReadPage(response.image_id, response.text)])


def reading_of_job(job: Job, texts: dict[str, str]) -> Reading:
    """Return the reading of an ended job; `texts` has those of its pages by image."""
    pages = []
    for page in job.pages:
        text = texts.get(page.image_id or "")
        error = page.error.detail if page.error and text is None else None
        pages.append(ReadPage(page.image_id, text, CANCELLED if page.state == "cancelled" else error))
    return Reading(job.project_id, pages)


CANCELLED = "The job was cancelled before this page was read. Read the file again."
