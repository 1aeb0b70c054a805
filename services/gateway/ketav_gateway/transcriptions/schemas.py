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
    Layout,
    Model,
    RequestBody,
    ResponseBody,
    Script,
)

Position = Annotated[tuple[int, int], Field(description="[x, y] in pixels of the stored image.")]

_LINE_EXAMPLE: dict[str, Any] = {
    "line_id": examples.LINE_ID,
    "order": 0,
    "text": examples.TEXT,
    "confidence": 0.93,
    "baseline": [[1100, 140], [640, 146]],
    "boundary": [[630, 120], [1110, 116], [1112, 190], [632, 196]],
    "words": [
        {"text": "שלום", "confidence": 0.95, "start": 0, "end": 4},
        {"text": "עולם", "confidence": 0.91, "start": 5, "end": 9},
    ],
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
}
_ACCEPTED_EXAMPLE: dict[str, Any] = {
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
    "lines": [{**_LINE_EXAMPLE, "corrected_text": "שלום לכולם", "quarantine": None}],
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


class Word(ResponseBody):
    """A word of a line."""

    text: str = Field(description="Text in logical order, Unicode NFC.")
    confidence: float = Field(description="Confidence, 0 to 1.")
    start: int = Field(description="Index of its first code point in the text of the line.")
    end: int = Field(description="Index after its last code point in the text of the line.")


class Line(ResponseBody):
    """A line of a page as the model read it."""

    line_id: str = Field(description="UUID.")
    order: int = Field(description="Position in the reading order, from 0.")
    text: str = Field(description="Text in logical order, Unicode NFC.")
    confidence: float = Field(description="Mean confidence of the characters, 0 to 1.")
    baseline: list[Position] = Field(description="Polyline from which the letters hang.")
    boundary: list[Position] = Field(description="Polygon around the ink.")
    words: list[Word] = Field(description="Words in logical order.")


class Quarantine(ResponseBody):
    """Reason why a correction is stored but does not train."""

    code: Literal["empty-text", "outside-alphabet", "too-long-for-line", "unlike-reading"] = Field(
        description="The reason, for programs."
    )
    reason: str = Field(description="The reason, in sentences.")


class CorrectedLine(Line):
    """A line with its latest correction."""

    corrected_text: str | None = Field(description="The latest correction; null when there is none.")
    quarantine: Quarantine | None = Field(
        None, description="Why that correction does not train; null when it does."
    )


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


class OcrAcceptedResponse(ResponseBody):
    """A page that is stored and will be read."""

    model_config = ConfigDict(json_schema_extra={"example": _ACCEPTED_EXAMPLE})

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
