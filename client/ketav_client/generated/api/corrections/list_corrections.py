from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.list_corrections_response import ListCorrectionsResponse


def _parse(response: httpx.Response) -> ListCorrectionsResponse:
    response_200 = ListCorrectionsResponse.from_dict(response.json())

    return response_200


def list_corrections(
    project_id: str,
    image_id: str,
    line_id: str,
) -> Call[ListCorrectionsResponse]:
    """List the corrections of a line.

    Return the corrections of a line, on any transcription of its image, newest first.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}/corrections".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
