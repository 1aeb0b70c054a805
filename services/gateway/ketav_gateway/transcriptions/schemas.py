"""JSON of transcriptions: Line is defined here, for all features that return lines."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from ketav_common import limits
from ketav_gateway import examples
from ketav_gateway.schemas import (
    VERSION_PATTERN,
    HandName,
    Id,
    Image,
    ImageWarning,
    Layout,
    Model,
    RequestBody,
    ResponseBody,
    Script,
)

RegionType = Literal["paragraph", "heading", "header", "footer", "page-number", "marginalia"]
Rotation = Literal["auto", "0", "90", "180", "270"]

Position = Annotated[tuple[int, int], Field(description="[x, y] in pixels of the stored image.")]

_LINE_EXAMPLE: dict[str, Any] = {
    "line_id": examples.LINE_ID,
    "order": 0,
    "text": examples.TEXT,
    "confidence": 0.93,
    "baseline": [[1100, 140], [640, 146]],
    "boundary": [[630, 120], [1110, 116], [1112, 190], [632, 196]],
    "words": [
        {
            "text": "שלום",
            "confidence": 0.95,
            "start": 0,
            "end": 4,
            "boundary": [[880, 118], [1110, 116], [1112, 190], [882, 193]],
        },
        {
            "text": "עולם",
            "confidence": 0.91,
            "start": 5,
            "end": 9,
            "boundary": [[630, 120], [860, 118], [862, 193], [632, 196]],
        },
    ],
    "region": "paragraph",
}
_OCR_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "image_id": examples.IMAGE_ID,
    "transcription_id": "0d9e8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c33",
    "model": examples.BASE_MODEL,
    "image": examples.IMAGE,
    "text": examples.TEXT,
    "confidence": 0.93,
    "lines": [_LINE_EXAMPLE],
    "warnings": [],
}
_DOCUMENT_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "pages": [
        {"position": 1, "image_id": examples.IMAGE_ID, "state": "read", "error": None, "warnings": []},
        {
            "position": 2,
            "image_id": None,
            "state": "failed",
            "error": {
                "code": "image-too-small",
                "detail": "The image has 12 x 40 pixels; each side needs at least 16. Scan the page at a "
                "higher resolution.",
            },
            "warnings": [],
        },
    ],
}
_ACCEPTED_EXAMPLE: dict[str, Any] = {
    "job_id": examples.JOB_ID,
    "project_id": examples.PROJECT_ID,
    "image_id": examples.IMAGE_ID,
    "state": "stored",
    "image": examples.IMAGE,
}
TRANSCRIPTION_EXAMPLE: dict[str, Any] = {
    "transcription_id": _OCR_EXAMPLE["transcription_id"],
    "model": examples.BASE_MODEL,
    "created_at": examples.CREATED_AT,
    "text": examples.TEXT,
    "confidence": 0.93,
    "lines": [
        {
            **_LINE_EXAMPLE,
            "corrected_text": "שלום לכולם",
            "verified_text": "שלום לכולם",
            "verified_words": [
                {**_LINE_EXAMPLE["words"][0], "confidence": None},
                {**_LINE_EXAMPLE["words"][1], "text": "לכולם", "confidence": None, "end": 10},
            ],
            "quarantine": None,
            "correction_id": "7b6a5f4e-3d2c-4b1a-8f9e-8d7c6b5a4f3e",
            "author": "Noa",
        }
    ],
}


class OcrForm(RequestBody):
    """The fields of `POST /ocr/` in addition to the file."""

    project_id: Id | None = Field(
        None, description="Project that gets the page; without it a new one is created."
    )
    name: str | None = Field(
        None,
        description="Name of the new project; without it the current time.",
        min_length=1,
        max_length=limits.MAX_NAME_CODE_POINTS,
    )
    hand: HandName | None = Field(
        None,
        description="Name of the person who wrote the pages of the new project: their hand gets a model of "
        "its own. A new name makes a hand; without a name it is your own. With `project_id`, the hand that "
        "the project must have.",
    )
    script: Script = Field(
        "modern_cursive",
        description="Script of the new project; without it that of `hand`, or modern cursive.",
    )
    layout: Layout = Field("page", description="Whether the image shows a page or one line.")
    model: str | None = Field(
        None,
        description="Model version to read with, one of yours or a base model; without it your active model.",
        pattern=VERSION_PATTERN,
    )
    rotate: Rotation = Field(
        "auto",
        description="Degrees by which the image is turned clockwise before it is stored, in addition to its "
        "EXIF orientation. `auto` turns a page that is read better in another direction.",
    )


class PlacedWord(ResponseBody):
    """A word of a line with its position on the image."""

    text: str = Field(description="Text in logical order, Unicode NFC.")
    start: int = Field(description="Index of its first code point in the text of the line.")
    end: int = Field(description="Index after its last code point in the text of the line.")
    boundary: list[Position] = Field(description="Polygon around the word.")


class Word(PlacedWord):
    """A word of a line as the model read it."""

    confidence: float = Field(description="Confidence, 0 to 1.")


class VerifiedWord(PlacedWord):
    """A word of a verified text."""

    confidence: float | None = Field(
        description="Confidence with which the model read the word, 0 to 1; null if it read another one."
    )


class Line(ResponseBody):
    """A line of a page as the model read it."""

    line_id: str = Field(description="UUID.")
    order: int = Field(description="Position in the reading order, from 0.")
    text: str = Field(description="Text in logical order, Unicode NFC.")
    confidence: float = Field(description="Mean confidence of the characters, 0 to 1.")
    baseline: list[Position] = Field(description="Polyline from which the letters hang.")
    boundary: list[Position] = Field(description="Polygon around the ink.")
    words: list[Word] = Field(description="Words in logical order.")
    region: RegionType = Field(
        "paragraph",
        description="What the line is on its page, in the words of PAGE XML; imported lines are paragraphs.",
    )


class Quarantine(ResponseBody):
    """Reason why a correction is stored but does not train."""

    code: Literal["empty-text", "outside-alphabet", "too-long-for-line", "unlike-reading"] = Field(
        description="The reason, for programs."
    )
    reason: str = Field(description="The reason, in sentences.")


class UntrainedLine(ResponseBody):
    """A line that does not train although its text counts."""

    line_id: str = Field(description="UUID of the line.")
    reason: str = Field(description="The reason, in sentences.")


class CorrectedLine(Line):
    """A line with its latest correction."""

    corrected_text: str | None = Field(description="The latest correction; null when there is none.")
    verified_text: str | None = Field(
        None,
        description="The text that counts and is exported: the latest correction outside quarantine; null "
        "when there is none.",
    )
    verified_words: list[VerifiedWord] | None = Field(
        None,
        description="Words of `verified_text`, with the confidences of those that were read so; null without "
        "such a text.",
    )
    quarantine: Quarantine | None = Field(
        None, description="Why that correction does not train; null when it does."
    )
    correction_id: str | None = Field(
        None, description="UUID of the latest correction or withdrawal, for `If-Match`; null without one."
    )
    author: str | None = Field(None, description="Account that submitted it; null when there is none.")


class OcrResponse(ResponseBody):
    """A page that was read."""

    model_config = ConfigDict(json_schema_extra={"example": _OCR_EXAMPLE})

    project_id: str = Field(description="UUID of the project.")
    image_id: str = Field(description="UUID of the image.")
    transcription_id: str = Field(description="UUID of the transcription.")
    model: Model = Field(description="The model that read the page.")
    image: Image = Field(description="The stored image.")
    text: str = Field(description="The texts of all lines in reading order, joined by line feeds.")
    confidence: float | None = Field(
        description="Mean confidence of the characters, 0 to 1; null without any character."
    )
    lines: list[Line] = Field(description="Lines in reading order; empty for a blank page.")
    warnings: list[ImageWarning] = Field(
        default_factory=list, description="What is wrong with an image that was read in part."
    )


class PageError(ResponseBody):
    """The error of a page of a document that was not stored or not read."""

    code: str = Field(description="The type of problem, for programs.")
    detail: str = Field(description="The error and its correction, in sentences.")


class DocumentPage(ResponseBody):
    """A page of a document."""

    position: int = Field(description="Position of the page in the file, from 1.")
    image_id: str | None = Field(description="UUID of the image; null if the page was not stored.")
    state: Literal["read", "stored", "failed"] = Field(
        description="`read`; `stored`: not read yet, or the recognition failed; `failed`: not stored."
    )
    error: PageError | None = Field(description="Why it was not read; null if it was, or still will be.")
    warnings: list[ImageWarning] = Field(
        default_factory=list, description="What is wrong with a page that was read in part."
    )


class OcrDocumentResponse(ResponseBody):
    """A PDF or TIFF of several pages: each page is an image of one project."""

    model_config = ConfigDict(json_schema_extra={"example": _DOCUMENT_EXAMPLE})

    project_id: str = Field(description="UUID of the project that has the pages.")
    pages: list[DocumentPage] = Field(description="The pages in their order in the file, at most 20.")


class OcrAcceptedResponse(ResponseBody):
    """A page that is stored and will be read."""

    model_config = ConfigDict(json_schema_extra={"example": _ACCEPTED_EXAMPLE})

    job_id: str = Field(description="UUID of the job that reads it; GET /jobs/{job_id} shows its outcome.")
    project_id: str = Field(description="UUID of the project.")
    image_id: str = Field(description="UUID of the image.")
    state: Literal["stored", "read"] = Field(description="`stored`: not read yet.")
    image: Image = Field(description="The stored image.")


class Transcription(ResponseBody):
    """A model's reading of a page, or the lines of an import, with corrections."""

    transcription_id: str = Field(description="UUID of the transcription.")
    model: Model | None = Field(description="The model that read the page; null for imported lines.")
    created_at: datetime = Field(description="When it was recorded.")
    text: str = Field(description="The texts of all lines as read, in reading order, joined by line feeds.")
    confidence: float | None = Field(
        description="Mean confidence of the characters, 0 to 1; null without any character."
    )
    lines: list[CorrectedLine] = Field(description="Lines in reading order.")
    edited: bool = Field(
        default=False, description="Whether you have edited its lines: `POST .../lines/undo` undoes it."
    )
