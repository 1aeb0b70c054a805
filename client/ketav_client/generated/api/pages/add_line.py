from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.new_line import NewLine
from ...models.page import Page
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Page:
    response_201 = Page.from_dict(response.json())

    return response_201


def add_line(
    project_id: str,
    image_id: str,
    *,
    body: NewLine,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Page]:
    """Add a line.

    Add a line that was not found; its text is a correction of it. Return the image with its lines.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (NewLine): A line to add. Example: {'after': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744',
            'boundary': [[630, 220], [1110, 216], [1112, 290], [632, 296]]}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/images/{image_id}/lines".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
