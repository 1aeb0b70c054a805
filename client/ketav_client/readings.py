"""Uploads and what was read of them: an image has one page, a PDF or TIFF one or more."""

import mimetypes
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypedDict, Unpack

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


def reading(response: OcrResult, texts: dict[str, str]) -> Reading:
    """Return the pages of a response; `texts` has those of a document's pages by image."""
    if isinstance(response, OcrDocumentResponse | Job):
        pages = [
            ReadPage(page.image_id, texts.get(page.image_id or ""), page.error.detail if page.error else None)
            for page in response.pages
        ]
        return Reading(response.project_id, pages)
    text = response.text if isinstance(response, OcrResponse) else None
    return Reading(response.project_id, [ReadPage(response.image_id, text)])


def read_images(response: OcrResult) -> list[str]:
    """Return the images of a document's pages that were read: their texts are fetched."""
    if not isinstance(response, OcrDocumentResponse | Job):
        return []
    return [page.image_id for page in response.pages if page.image_id and page.state == "read"]
