from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.changed_line import ChangedLine
from ...models.page import Page
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Page:
    response_200 = Page.from_dict(response.json())

    return response_200


def change_line(
    project_id: str,
    image_id: str,
    line_id: str,
    *,
    body: ChangedLine,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Page]:
    """Move or reshape a line.

    Move a line in the reading order, replace its geometry, or both. Return the image with its
    lines.

    An order beyond the last line is the last. The text stays, and all lines of the image get new
    ids.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (ChangedLine): A change of a line: of its position, of its geometry, or of both.
            Example: {'order': 3}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "patch",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
