"""JSON of pages, which REST calls images."""

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import Image, Layout, RequestBody, ResponseBody
from ketav_gateway.transcriptions.schemas import TRANSCRIPTION_EXAMPLE, Transcription

_MAX_LINK_TIME = timedelta(days=7)
"""Time of a link, whose holder reads a project without a key: a week of work."""
PAGE_EXAMPLE: dict[str, Any] = {
    "image_id": examples.IMAGE_ID,
    "project_id": examples.PROJECT_ID,
    "state": "read",
    "layout": "page",
    "created_at": examples.CREATED_AT,
    "image": examples.IMAGE,
    "transcription": TRANSCRIPTION_EXAMPLE,
}


class Page(ResponseBody):
    """A page of a project with its latest transcription."""

    model_config = ConfigDict(json_schema_extra={"example": PAGE_EXAMPLE})

    image_id: str = Field(description="UUID of the image.")
    project_id: str = Field(description="UUID of the project.")
    state: Literal["stored", "read"] = Field(
        description="`stored`: not read yet, or the recognition failed; `read`: it has a transcription."
    )
    layout: Layout = Field(description="Whether the image shows a page or one line.")
    created_at: datetime = Field(description="When the image was stored.")
    image: Image = Field(description="The stored image.")
    transcription: Transcription | None = Field(
        description="The latest transcription; null while there is none."
    )


class NewLink(RequestBody):
    """The time of a new link."""

    model_config = ConfigDict(json_schema_extra={"example": {"lifetime_s": 86400}})

    lifetime_s: int = Field(
        24 * 3600,
        description="Seconds until the link ends: a day by default.",
        ge=60,
        le=_MAX_LINK_TIME.total_seconds(),
    )


class IIIFLink(ResponseBody):
    """A link to a project for IIIF viewers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://ketav.example.org/iiif/gAAAAABqR3x/manifest",
                "expires_at": "2026-11-24T09:30:00Z",
            }
        }
    )

    url: str = Field(description="Address of the manifest, which needs no key.")
    expires_at: datetime = Field(description="When the link ends.")
