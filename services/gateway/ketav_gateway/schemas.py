"""The shapes of the REST API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ketav_common import limits
from ketav_gateway import examples

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

Id = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Script = Literal["modern_cursive", "square", "sephardi", "ashkenazi", "rashi"]
Layout = Literal["page", "line"]
Position = Annotated[tuple[int, int], Field(description="[x, y] in pixels of the stored image.")]


class Request(BaseModel):
    """What a client sends: exactly the fields that are known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class OcrForm(Request):
    """The fields of `POST /ocr/` beside the file."""

    project_id: Id | None = Field(None, description="Project to add the page to; a new one when absent.")
    name: str | None = Field(
        None, description="Name of a new project.", min_length=1, max_length=limits.MAX_NAME_CODE_POINTS
    )
    script: Script = Field("modern_cursive", description="The hand of a new project.")
    layout: Layout = Field("page", description="What the image shows: a page, or one line.")
    model: str | None = Field(
        None,
        description="Version to read it with, yours or a base; the one that serves when absent.",
        pattern=VERSION_PATTERN,
    )


class ImageFacts(Answer):
    """A stored image."""

    width: int = Field(description="Pixels, upright.")
    height: int = Field(description="Pixels, upright.")
    media_type: str = Field(description="image/png or image/jpeg.")


class ModelName(Answer):
    """The model that read a page."""

    version: str = Field(description="Name of the version.")
    kind: Literal["base", "user"] = Field(description="Everybody's, or the caller's own.")


class Word(Answer):
    """A word of a line."""

    text: str = Field(description="Logical order, Unicode NFC.")
    confidence: float = Field(description="0 to 1.")
    start: int = Field(description="First code point in the line's text.")
    end: int = Field(description="One past its last code point in the line's text.")


class Line(Answer):
    """A line as it was found and read."""

    line_id: str = Field(description="UUID.")
    order: int = Field(description="Place in the reading order, from 0.")
    text: str = Field(description="Logical order, Unicode NFC.")
    confidence: float = Field(description="Mean over the characters, 0 to 1.")
    baseline: list[Position] = Field(description="Polyline from which the letters hang.")
    boundary: list[Position] = Field(description="Polygon around the ink.")
    words: list[Word] = Field(description="In logical order.")


class Quarantine(Answer):
    """Why a correction is kept but not trained on."""

    code: Literal["empty-text", "outside-alphabet", "too-long-for-line", "unlike-reading"]
    reason: str = Field(description="For a person.")


class CorrectedLine(Line):
    """A line with what the user wrote for it."""

    corrected_text: str | None = Field(description="The latest correction; null when there is none.")
    quarantine: Quarantine | None = Field(
        None, description="Why that correction is not trained on; null when nothing speaks against it."
    )


class OcrAnswer(Answer):
    """A page that was read."""

    model_config = ConfigDict(json_schema_extra={"example": examples.OCR})

    project_id: str = Field(description="UUID.")
    image_id: str = Field(description="UUID.")
    transcription_id: str = Field(description="UUID.")
    model: ModelName
    image: ImageFacts
    text: str = Field(description="All lines in reading order, joined by line feeds.")
    confidence: float | None = Field(description="Mean over the characters, 0 to 1; null on a blank page.")
    lines: list[Line]


class StoredAnswer(Answer):
    """A page that is stored and being read."""

    project_id: str = Field(description="UUID.")
    image_id: str = Field(description="UUID.")
    state: Literal["stored", "read"] = Field(description="stored: not read yet.")
    image: ImageFacts


class Transcription(Answer):
    """What was read on a page, and corrected."""

    transcription_id: str = Field(description="UUID.")
    model: ModelName | None = Field(description="Null: imported with its texts, no model has read it.")
    created_at: datetime
    text: str = Field(description="As it was read: all lines in reading order, joined by line feeds.")
    confidence: float | None = Field(description="Mean over the characters, 0 to 1; null on a blank page.")
    lines: list[CorrectedLine]


class PageAnswer(Answer):
    """A page of a project."""

    image_id: str = Field(description="UUID.")
    project_id: str = Field(description="UUID.")
    state: Literal["stored", "read"] = Field(description="stored: not read yet, or the reading failed.")
    layout: Layout
    created_at: datetime
    image: ImageFacts
    transcription: Transcription | None = Field(description="The latest reading; null while there is none.")


class ProjectSummary(Answer):
    """A project."""

    project_id: str = Field(description="UUID.")
    name: str
    script: Script
    created_at: datetime


class ProjectAnswer(ProjectSummary):
    """A project with its pages."""

    images: list[PageAnswer] = Field(description="Oldest first.")
    next_cursor: str | None = Field(description="Cursor of the following pages; null after the last.")


class ProjectList(Answer):
    """The caller's projects."""

    projects: list[ProjectSummary] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Cursor of the following projects; null after the last.")


class LineCorrection(Request):
    """A corrected line."""

    line_id: Id = Field(description="A line of the page's latest transcription.")
    text: str = Field(
        description="What is written there; empty: nothing is.", max_length=limits.MAX_LINE_CODE_POINTS
    )
    confirm: bool = Field(
        default=False, description="You are sure: train on this text though it looks wrong."
    )


class FeedbackRequest(Request):
    """Corrections of a page: line by line, or the whole text."""

    model_config = ConfigDict(json_schema_extra={"example": examples.FEEDBACK})

    project_id: Id
    image_id: Id
    lines: list[LineCorrection] | None = Field(None, min_length=1, max_length=limits.MAX_CORRECTIONS)
    corrected_text: str | None = Field(
        None,
        description="The page's text, a line of it per line.",
        min_length=1,
        max_length=limits.MAX_PAGE_CODE_POINTS,
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "FeedbackRequest":
        """Ask for exactly one of `lines` and `corrected_text`."""
        if (self.lines is None) == (self.corrected_text is None):
            raise ValueError("give either lines or corrected_text")
        return self


class Unaligned(Answer):
    """What could not be placed."""

    text: str | None = Field(description="A text that fits no line; null when a line found no text.")
    line_id: str | None = Field(description="A line that found no text; null when a text fits no line.")
    reason: str


class QuarantinedLine(Quarantine):
    """A stored correction that looks wrong: send it again with `confirm` if it is right."""

    line_id: str = Field(description="UUID.")


class FeedbackAnswer(Answer):
    """What became of the corrections."""

    feedback_id: str = Field(description="UUID.")
    accepted_lines: int = Field(description="Lines stored by this feedback, quarantined ones among them.")
    unaligned: list[Unaligned]
    quarantined: list[QuarantinedLine] = Field(description="Stored and shown, but not trained on.")
    ground_truth_lines: int = Field(description="The caller's verified lines altogether.")


class TrainingStarted(Answer):
    """A queued training run."""

    run_id: str = Field(description="UUID.")
    state: str


class TrainingAnswer(Answer):
    """A training run."""

    run_id: str = Field(description="UUID.")
    state: Literal["queued", "running", "evaluating", "succeeded", "rejected", "failed", "cancelled"]
    script: Script
    revision: int = Field(description="Raised by every change; the id of its event.")
    epoch: int = Field(description="Epochs finished.")
    epochs: int | None = Field(description="Epochs planned; null while unknown.")
    loss: float | None = Field(description="Training loss of the last epoch.")
    cer_base: float | None = Field(description="CER of the model that served before, on held-out lines.")
    cer_candidate: float | None = Field(description="CER of the candidate, on the same lines.")
    verdict: str | None = Field(description="The gate's verdict, or why the run ended, in words.")
    model_version: str | None = Field(description="The version it made.")
    training_lines: int
    holdout_lines: int
    cancel_requested: bool
    attempts: int = Field(description="How often a worker has taken it.")
    remaining_seconds: int | None = Field(
        description="Until the planned epochs are done, estimated from this attempt's epochs so far; "
        "measuring the candidate comes on top. null: unknown, or it does not train now."
    )
    created_at: datetime
    updated_at: datetime


class ModelAnswer(Answer):
    """A model version: its record, never its bytes."""

    version: str
    kind: Literal["base", "user"]
    script: Script | None = Field(description="The hand it reads; null: every hand.")
    state: Literal["active", "available", "retired", "tainted"] = Field(
        description="retired: the gate refused it; tainted: it had learnt from lines you have deleted."
    )
    parent_version: str | None
    run_id: str | None
    cer_before: float | None = Field(description="CER of the model before it, on the same held-out lines.")
    cer_after: float | None = Field(description="Its own CER on held-out lines.")
    training_lines: int
    created_at: datetime


class ModelRecord(ModelAnswer):
    """A version with where it comes from and how it was made."""

    model_config = ConfigDict(json_schema_extra={"example": examples.MODEL})

    lineage: list[ModelAnswer] = Field(description="What it descends from: its parent first, a base last.")
    card: dict[str, Any] = Field(description="The model card: how it was trained and judged.")


class ModelList(Answer):
    """The caller's versions and the bases."""

    models: list[ModelAnswer] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Cursor of the following versions; null after the last.")


class Health(Answer):
    """Whether the gateway can do its work."""

    status: Literal["alive", "ready"]
    services: dict[str, str] = Field(default_factory=dict, description="Each service: serving, or why not.")
