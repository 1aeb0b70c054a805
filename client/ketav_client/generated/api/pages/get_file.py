from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call


def _parse(response: httpx.Response) -> bytes:
    if response.status_code == 200:
        return response.content
    return response.content


def get_file(
    project_id: str,
    image_id: str,
) -> Call[bytes]:
    """Download an image file.

    Return the stored image file: upright, without metadata.

    Its ETag is the SHA-256. Once the image has been read, the file never changes; the reading may
    turn it. `If-None-Match` gets 304, `Range` one part of the file.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/projects/{project_id}/images/{image_id}/file".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
