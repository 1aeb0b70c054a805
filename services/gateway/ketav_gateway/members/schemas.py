"""JSON of members of projects."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import RequestBody, ResponseBody

MemberRole = Literal["viewer", "editor"]
_EXAMPLE: dict[str, Any] = {"name": "Dana", "role": "editor", "created_at": examples.CREATED_AT}


class SetMemberRequest(RequestBody):
    """The role of a member."""

    model_config = ConfigDict(json_schema_extra={"example": {"role": _EXAMPLE["role"]}})

    role: MemberRole = Field(
        description="`viewer`: reads, searches and exports; `editor`: also adds images, has them read, "
        "corrects them and edits their lines."
    )


class Member(ResponseBody):
    """A member of a project."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    name: str = Field(description="Name of the account.")
    role: MemberRole = Field(description="What the member may do.")
    created_at: datetime = Field(description="When the account became a member.")


class MemberList(ResponseBody):
    """The members of a project."""

    model_config = ConfigDict(json_schema_extra={"example": {"members": [_EXAMPLE]}})

    members: list[Member] = Field(description="In the order in which they became members; the owner is none.")
