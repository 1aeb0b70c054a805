from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.merged_lines import MergedLines
from ...models.page import Page
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Page:
    response_200 = Page.from_dict(response.json())

    return response_200


def merge_lines(
    project_id: str,
    image_id: str,
    *,
    body: MergedLines,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Page]:
    """Merge lines.

    Replace lines by one around them, with their texts joined. Return the image with its lines.

    It is corrected if all of them are. It trains, or measures, as they did.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (MergedLines): Lines to merge. Example: {'line_ids':
            ['5c4b3a29-1807-4f6e-9d5c-4b3a29180744', '5e4d3c2b-1a09-4f8e-9d7c-6b5a4f3e2d1d']}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/images/{image_id}/lines/merge".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
