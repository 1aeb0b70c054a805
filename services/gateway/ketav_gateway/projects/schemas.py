"""JSON of projects."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.pages.schemas import PAGE_EXAMPLE, Page
from ketav_gateway.schemas import ResponseBody, Script

_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "name": "Diary 1948",
    "script": "modern_cursive",
    "hand": None,
    "created_at": examples.CREATED_AT,
}


class Project(ResponseBody):
    """A project without its images."""

    project_id: str = Field(description="UUID of the project.")
    name: str = Field(description="Name of the project.")
    script: Script = Field(description="Script of its pages.")
    hand: str | None = Field(description="Name of the hand that wrote its pages; null: your own hand.")
    created_at: datetime = Field(description="When it was created.")


class ProjectWithImages(Project):
    """A project with its images."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_EXAMPLE, "images": [PAGE_EXAMPLE], "next_cursor": None}}
    )

    images: list[Page] = Field(description="Images, oldest first.")
    next_cursor: str | None = Field(description="Cursor of the next images; null after the last one.")


class ProjectList(ResponseBody):
    """The caller's projects."""

    model_config = ConfigDict(json_schema_extra={"example": {"projects": [_EXAMPLE], "next_cursor": None}})

    projects: list[Project] = Field(description="Projects, newest first.")
    next_cursor: str | None = Field(description="Cursor of the next projects; null after the last one.")
