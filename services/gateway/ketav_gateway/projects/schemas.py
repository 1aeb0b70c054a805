"""JSON of projects."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_common import limits
from ketav_gateway import examples
from ketav_gateway.pages.schemas import PAGE_EXAMPLE, Page
from ketav_gateway.schemas import HandName, RequestBody, ResponseBody, Script

_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "name": "Diary 1948",
    "script": "modern_cursive",
    "hand": None,
    "created_at": examples.CREATED_AT,
    "owner": "Noa",
    "role": "owner",
}


Role = Literal["viewer", "editor", "owner"]
ProjectFields = Literal["all", "text", "images"]
LEFT_OUT: dict[ProjectFields, Any] = {
    "text": {
        "images": {"__all__": {"transcription": {"lines": {"__all__": {"baseline", "boundary", "words"}}}}}
    },
    "images": {"images": {"__all__": {"transcription"}}},
}
"""Members that each light view of a project leaves out, as pydantic's `exclude`."""


class NewProject(RequestBody):
    """A project to create without images."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": _EXAMPLE["name"], "script": _EXAMPLE["script"]}}
    )

    name: str = Field(
        description="Name that none of your projects has.",
        min_length=1,
        max_length=limits.MAX_NAME_CODE_POINTS,
    )
    script: Script | None = Field(
        None, description="Script of its pages; without it that of `hand`, or modern cursive."
    )
    hand: HandName | None = Field(
        None,
        description="Name of the person who wrote the pages: their hand gets a model of its own. A new name "
        "makes a hand; without a name it is your own.",
    )


class ProjectChange(RequestBody):
    """A change of a project: a field that is absent or null stays as it is."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Diary 1948, second part"}})

    name: str | None = Field(
        None,
        description="New name, which none of your other projects has.",
        min_length=1,
        max_length=limits.MAX_NAME_CODE_POINTS,
    )
    script: Script | None = Field(
        None, description="New script of its pages; their corrections train the models of this script then."
    )
    hand: str | None = Field(
        None,
        description="Name of the hand that wrote its pages, which has the script of the project; their "
        "corrections train its models then. A new name makes a hand; empty: your own hand.",
        max_length=limits.MAX_NAME_CODE_POINTS,
    )


class RenamedHand(ResponseBody):
    """A hand that was renamed."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Grandmother Rachel"}})

    name: str = Field(description="Its name.")


class HandChange(RequestBody):
    """A change of a hand: the person who wrote the pages of projects."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Grandmother Rachel"}})

    name: str = Field(
        description="Name that none of your other hands has.",
        min_length=1,
        max_length=limits.MAX_NAME_CODE_POINTS,
    )


class Project(ResponseBody):
    """A project without its images."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    project_id: str = Field(description="UUID of the project.")
    name: str = Field(description="Name of the project.")
    script: Script = Field(description="Script of its pages.")
    hand: str | None = Field(description="Name of the hand that wrote its pages; null: the owner's own hand.")
    created_at: datetime = Field(description="When it was created.")
    owner: str = Field(description="Name of the account that owns it.")
    role: Role = Field(
        description="What you are in it: `owner`; `editor`, who adds and corrects images; or `viewer`, who "
        "reads, searches and exports."
    )


class ProjectWithImages(Project):
    """A project with its images."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_EXAMPLE, "images": [PAGE_EXAMPLE], "next_cursor": None}}
    )

    images: list[Page] = Field(description="Images, oldest first.")
    next_cursor: str | None = Field(description="Cursor of the next images; null after the last one.")


class ProjectList(ResponseBody):
    """The projects that the caller owns or is a member of."""

    model_config = ConfigDict(json_schema_extra={"example": {"projects": [_EXAMPLE], "next_cursor": None}})

    projects: list[Project] = Field(description="Projects, newest first.")
    next_cursor: str | None = Field(description="Cursor of the next projects; null after the last one.")
