from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.page import Page


def _parse(response: httpx.Response) -> Page:
    response_200 = Page.from_dict(response.json())

    return response_200


def get_image(
    project_id: str,
    image_id: str,
) -> Call[Page]:
    """Show an image with its transcription.

    Return an image with its latest transcription and corrections.

    `If-None-Match` with the ETag of an earlier response gets 304 while nothing has changed.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/projects/{project_id}/images/{image_id}".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
