from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.iiif_link import IIIFLink
from ...models.new_link import NewLink


def _parse(response: httpx.Response) -> IIIFLink:
    response_201 = IIIFLink.from_dict(response.json())

    return response_201


def create_link(
    project_id: str,
    *,
    body: NewLink,
) -> Call[IIIFLink]:
    """Make a link for a IIIF viewer.

    Return the address of a IIIF manifest that a viewer opens without a key, with its images.

    Who has the address reads the texts and images of this project until its time is over. It ends
    before when your key is revoked, when you lose your role in the project, or when the owner
    revokes the links.

    Args:
        project_id (str): UUID of the project.
        body (NewLink): The time of a new link. Example: {'lifetime_s': 86400}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/iiif-link".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
