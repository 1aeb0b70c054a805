from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> bytes:
    return response.content


def get_line_image(
    project_id: str,
    image_id: str,
    line_id: str,
    *,
    height: int | Unset = UNSET,
) -> Call[bytes]:
    """Show the picture of a line.

    Return a line of the latest transcription as a JPEG, with a margin around its boundary.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
        height (int | Unset): Height of the picture in pixels.
    """

    params: dict[str, Any] = {}

    params["height"] = height

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}/image".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
