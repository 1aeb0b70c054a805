"""JSON of corrections, which REST calls feedback."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticKnownError

from ketav_common import limits
from ketav_gateway import examples
from ketav_gateway.schemas import Id, RequestBody, ResponseBody
from ketav_gateway.transcriptions.schemas import (
    TRANSCRIPTION_EXAMPLE,
    CorrectedLine,
    Quarantine,
    UntrainedLine,
)


def _check_length(text: str) -> str:
    """Return the text of a page if its length is allowed; pydantic's own check refuses surrogates."""
    if not text:
        raise PydanticKnownError("string_too_short", {"min_length": 1})
    if len(text) > limits.MAX_PAGE_CODE_POINTS:
        raise PydanticKnownError("string_too_long", {"max_length": limits.MAX_PAGE_CODE_POINTS})
    return text


class LineCorrection(RequestBody):
    """The correction of a line."""

    line_id: Id = Field(description="UUID of a line of the page's latest transcription.")
    text: str = Field(
        description="The text of the line in logical order; empty: the line has no text. One of more than "
        "4,000 code points is refused alone, as any text that may not be stored."
    )
    confirm: bool = Field(
        default=False,
        description="You confirm a text that looks wrong: it trains instead of being quarantined.",
    )


class SubmitCorrectionsRequest(RequestBody):
    """Corrections of a page: either `lines` or `corrected_text`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "project_id": examples.PROJECT_ID,
                "image_id": examples.IMAGE_ID,
                "lines": [{"line_id": examples.LINE_ID, "text": "שלום לכולם", "confirm": False}],
            }
        }
    )

    project_id: Id = Field(description="UUID of the project.")
    image_id: Id = Field(description="UUID of the image.")
    lines: list[LineCorrection] | None = Field(
        None, description="Corrections of single lines.", min_length=1, max_length=limits.MAX_CORRECTIONS
    )
    corrected_text: Annotated[str, AfterValidator(_check_length)] | None = Field(
        None,
        description="The text of the whole page, its lines separated by line feeds; it is aligned to the "
        "lines of the transcription.",
        json_schema_extra={"minLength": 1, "maxLength": limits.MAX_PAGE_CODE_POINTS},
    )

    @model_validator(mode="after")
    def _require_one(self) -> "SubmitCorrectionsRequest":
        """Refuse a body with both or none of `lines` and `corrected_text`."""
        if (self.lines is None) == (self.corrected_text is None):
            raise ValueError(
                "The body has both or none of /lines and /corrected_text. Send exactly one of them."
            )
        return self


class Unaligned(ResponseBody):
    """A line of `corrected_text` that matches no line of the page, or a line of the page without a text."""

    text: str | None = Field(description="The text that matches no line; null for a line without a text.")
    line_id: str | None = Field(description="The line without a text; null for a text without a line.")
    reason: str = Field(description="The reason, in sentences.")


class QuarantinedLine(Quarantine):
    """A stored correction that looks wrong. Send the line again with `confirm` if it is right."""

    line_id: str = Field(description="UUID of the line.")


class RefusedLine(ResponseBody):
    """A line that was not stored because of its text. The other lines of the request are stored."""

    line_id: str | None = Field(description="UUID of the line; null for a line of `corrected_text`.")
    line: int | None = Field(description="Number of the line of `corrected_text`, from 1; null for `lines`.")
    code: str = Field(description="The reason, for programs.")
    detail: str = Field(description="The reason, in sentences.")


class SubmitCorrectionsResponse(ResponseBody):
    """The stored corrections."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "feedback_id": "3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a",
                "accepted_lines": 1,
                "unaligned": [],
                "quarantined": [],
                "refused": [],
                "untrained": [],
                "ground_truth_lines": 42,
            }
        }
    )

    feedback_id: str = Field(description="UUID of this set of corrections.")
    accepted_lines: int = Field(description="Lines stored by this request, quarantined ones included.")
    unaligned: list[Unaligned] = Field(description="Texts and lines that could not be aligned.")
    quarantined: list[QuarantinedLine] = Field(
        description="Stored corrections that look wrong: they are shown and do not train."
    )
    refused: list[RefusedLine] = Field(description="Lines whose text may not be stored.")
    untrained: list[UntrainedLine] = Field(
        description="Stored lines that do not train because the model cannot write their signs."
    )
    ground_truth_lines: int = Field(description="Number of your lines that would train now.")


class NewCorrection(RequestBody):
    """The correction of one line."""

    model_config = ConfigDict(json_schema_extra={"example": {"text": "שלום לכולם", "confirm": False}})

    text: str = Field(
        description="The text of the line in logical order; empty: the line has no text.",
        max_length=limits.MAX_LINE_CODE_POINTS,
    )
    confirm: bool = Field(
        default=False,
        description="You confirm a text that looks wrong: it trains instead of being quarantined.",
    )


class CorrectLineResponse(ResponseBody):
    """A corrected line."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "line": TRANSCRIPTION_EXAMPLE["lines"][0],
                "untrained": None,
                "ground_truth_lines": 42,
            }
        }
    )

    line: CorrectedLine = Field(description="The line with its latest correction.")
    untrained: UntrainedLine | None = Field(
        description="Why the line does not train although its text counts; null when it does."
    )
    ground_truth_lines: int = Field(description="Number of your lines that would train now.")


class StoredCorrection(ResponseBody):
    """A correction of a line, or the withdrawal of its corrections."""

    text: str = Field(description="The text of the line; empty for a withdrawal.")
    origin: Literal["user", "imported"] = Field(description="Whether it was typed or imported.")
    confirmed: bool = Field(description="Whether its author has confirmed the text.")
    withdrawn: bool = Field(description="Whether this is the withdrawal of the corrections before it.")
    quarantine: Quarantine | None = Field(description="Why it does not train; null when it does.")
    created_at: datetime = Field(description="When it was stored.")
    author: str | None = Field(description="Name of the account that wrote it; null after its deletion.")
    restored_by: str | None = Field(
        description="Name of the account that restored it by undoing an edit of lines; null where none did."
    )


class ListCorrectionsResponse(ResponseBody):
    """The history of a line."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "corrections": [
                    {
                        "text": "שלום לכולם",
                        "origin": "user",
                        "confirmed": False,
                        "withdrawn": False,
                        "quarantine": None,
                        "created_at": examples.CREATED_AT,
                        "author": "Noa",
                        "restored_by": None,
                    }
                ]
            }
        }
    )

    corrections: list[StoredCorrection] = Field(description="Newest first, at most 100.")


class WithdrawCorrectionResponse(ResponseBody):
    """The consequences of a withdrawal."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "line_id": examples.LINE_ID,
                "ground_truth_lines": 41,
                "tainted_versions": [examples.USER_VERSION],
                "cancelled_run_id": None,
                "retraining": True,
            }
        }
    )

    line_id: str = Field(description="UUID of the line, which counts as uncorrected now.")
    ground_truth_lines: int = Field(description="Number of your lines that would train now.")
    tainted_versions: list[str] = Field(
        description="Your model versions that were trained on the line: they never serve again. None was "
        "where the line is held out."
    )
    cancelled_run_id: str | None = Field(
        description="UUID of the training run that was cancelled because it trains on the line; null: none."
    )
    retraining: bool = Field(description="Whether a training run without the line will be queued.")
