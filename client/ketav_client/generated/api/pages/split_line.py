from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.page import Page
from ...models.split_line import SplitLine
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Page:
    response_200 = Page.from_dict(response.json())

    return response_200


def split_line(
    project_id: str,
    image_id: str,
    line_id: str,
    *,
    body: SplitLine,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Page]:
    """Split a line.

    Replace a line by its right and its left part, with a text each. Return the image with its
    lines.

    The parts are corrected if the line is and the texts are its own; otherwise confirm or correct
    them.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (SplitLine): The parts of a line. Example: {'texts': ['שלום', 'עולם'], 'x': 870}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}/split".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
