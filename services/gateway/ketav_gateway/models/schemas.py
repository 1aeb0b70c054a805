"""JSON of model versions: their metadata and errors, never their files."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import Model, ModelKind, ResponseBody, Script

_BASE_EXAMPLE: dict[str, Any] = {
    **examples.BASE_MODEL,
    "script": None,
    "hand": None,
    "state": "available",
    "parent_version": None,
    "base_version": None,
    "run_id": None,
    "cer_before": None,
    "cer_after": None,
    "training_lines": 0,
    "created_at": "2026-11-01T08:00:00Z",
}
_USER_EXAMPLE: dict[str, Any] = {
    "version": examples.USER_VERSION,
    "kind": "user",
    "script": "modern_cursive",
    "hand": None,
    "state": "active",
    "parent_version": "hebrew_base-1",
    "base_version": "hebrew_base-1",
    "run_id": examples.RUN_ID,
    "cer_before": 0.12,
    "cer_after": 0.081,
    "training_lines": 52,
    "created_at": examples.CREATED_AT,
}
_ERRORS_EXAMPLE: dict[str, Any] = {"lines": 24, "edits": 61, "length": 812, "cer": 0.07512}
_PROGRESS_EXAMPLE: dict[str, Any] = {
    "images": [
        {
            **_ERRORS_EXAMPLE,
            "image_id": examples.IMAGE_ID,
            "project_id": examples.PROJECT_ID,
            "script": "modern_cursive",
            "hand": None,
            "model": examples.BASE_MODEL,
            "read_at": examples.CREATED_AT,
        }
    ],
    "next_cursor": None,
    "versions": [
        {
            **_ERRORS_EXAMPLE,
            "model": examples.BASE_MODEL,
            "script": "modern_cursive",
            "hand": None,
            "pages": 1,
            "first_read_at": examples.CREATED_AT,
            "last_read_at": examples.CREATED_AT,
        }
    ],
    "versions_complete": True,
}


class ModelVersion(ResponseBody):
    """The metadata of a model version."""

    model_config = ConfigDict(json_schema_extra={"example": _USER_EXAMPLE})

    version: str = Field(description="Name of the version.")
    kind: ModelKind = Field(description="`base`: serves all users; `user`: fine-tuned on your corrections.")
    script: Script | None = Field(description="The script that it reads; null: every script.")
    hand: str | None = Field(description="The hand that it was trained for; null: your own, or a base.")
    state: Literal["active", "available", "retired", "tainted"] = Field(
        description="`active`: reads the next page of its hand; `available`: can be activated; `retired`: "
        "the gate rejected it; `tainted`: it was trained on lines that you have deleted."
    )
    parent_version: str | None = Field(
        description="The version that it was fine-tuned from; null for a base."
    )
    base_version: str | None = Field(
        description="The base model that it descends from, over all its parents; null for a base."
    )
    run_id: str | None = Field(description="UUID of the training run that made it; null for a base.")
    cer_before: float | None = Field(
        description="CER of the model that served before, on the same lines, 0 to 1."
    )
    cer_after: float | None = Field(
        description="CER of this version, 0 to 1, on all lines of the verdict, held-out and cross-validated."
    )
    training_lines: int = Field(description="Lines that it was trained on.")
    created_at: datetime = Field(description="When it was stored.")


class ModelRecord(ModelVersion):
    """A version with its lineage and its model card."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_USER_EXAMPLE,
                "lineage": [_BASE_EXAMPLE],
                "card": {"parent": "hebrew_base-1", "training_lines": 52, "epochs": 12, "seed": 0},
            }
        }
    )

    lineage: list[ModelVersion] = Field(
        description="The versions that it descends from: its parent first, a base last."
    )
    card: dict[str, Any] = Field(description="The model card: data, training and evaluation of the version.")


class ModelList(ResponseBody):
    """The caller's versions and the base models."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"models": [_USER_EXAMPLE, _BASE_EXAMPLE], "next_cursor": None}}
    )

    models: list[ModelVersion] = Field(description="Versions, newest first.")
    next_cursor: str | None = Field(description="Cursor of the next versions; null after the last one.")


class ReadingErrors(ResponseBody):
    """Errors of first readings, compared with your verified texts over all lines together."""

    lines: int = Field(description="Lines compared: those of the first reading that have a correction.")
    edits: int = Field(description="Insertions, deletions and substitutions of code points.")
    length: int = Field(description="Code points of the corrections.")
    cer: float | None = Field(description="Edits divided by length; null when no line was compared.")


class PageProgress(ReadingErrors):
    """Errors of the first reading of a page."""

    image_id: str = Field(description="UUID of the image.")
    project_id: str = Field(description="UUID of the project.")
    script: Script = Field(description="Script of the project.")
    hand: str | None = Field(description="Hand of the project; null: your own.")
    model: Model = Field(description="The model of the first reading.")
    read_at: datetime = Field(description="When it was read first.")


class VersionProgress(ReadingErrors):
    """Errors of a version on the pages that it was the first to read."""

    model: Model = Field(description="The version.")
    script: Script = Field(description="Script of these pages.")
    hand: str | None = Field(description="Hand that wrote these pages; null: your own.")
    pages: int = Field(description="Pages compared.")
    first_read_at: datetime = Field(description="Time of the first of these readings.")
    last_read_at: datetime = Field(description="Time of the last of these readings.")


class ModelProgress(ResponseBody):
    """Errors of first readings, from page to page and from version to version."""

    model_config = ConfigDict(json_schema_extra={"example": _PROGRESS_EXAMPLE})

    images: list[PageProgress] = Field(
        description="Images, newest first; fewer than `limit` if they have much text."
    )
    next_cursor: str | None = Field(description="Cursor of the next images; null after the last one.")
    versions: list[VersionProgress] | None = Field(
        description="Totals by version, script and hand, oldest version first; null in a response to a "
        "cursor."
    )
    versions_complete: bool | None = Field(
        description="Whether the totals cover all corrected lines; false: the newest ones, up to a limit."
    )
