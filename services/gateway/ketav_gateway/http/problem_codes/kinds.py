"""The type of a problem code, and the details that several codes share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOT_FOUND_DETAIL = (
    "What the request names does not exist, or belongs to another user. Check the ids in the request: "
    "GET /projects/ lists your projects, GET /models/ your models."
)
INTERNAL_DETAIL = (
    "The server failed. Report the X-Request-Id of this response to the operator, whose log has it."
)
IMAGE_IS_STORED = "The image is stored: POST /projects/{project_id}/images/{image_id}/ocr reads it."
"""Follows the detail of a failure to read an image that a later request can read."""
ONE_FIELD_DETAIL = "One field of the request is not valid. Correct the field that `errors` names."


@dataclass(frozen=True)
class ProblemCode:
    """A code with its HTTP status, an example of `detail`, and examples of extension members."""

    status: int
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
