from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.erasure import Erasure


def _parse(response: httpx.Response) -> Erasure:
    response_200 = Erasure.from_dict(response.json())

    return response_200


def delete_image(
    project_id: str,
    image_id: str,
) -> Call[Erasure]:
    """Delete an image.

    Delete an image with its transcriptions and corrections; model versions trained on it stop
    serving.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/projects/{project_id}/images/{image_id}".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
