from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call


def _parse(response: httpx.Response) -> None:
    return None


def revoke_links(
    project_id: str,
) -> Call[None]:
    """Revoke the links for IIIF viewers.

    Revoke all links to your project, also those of its members, at once.

    Args:
        project_id (str): UUID of the project.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/projects/{project_id}/iiif-link".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
