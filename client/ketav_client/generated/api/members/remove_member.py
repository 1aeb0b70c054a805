from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call


def _parse(response: httpx.Response) -> None:
    return None


def remove_member(
    project_id: str,
    name: str,
) -> Call[None]:
    """Remove a member.

    End a membership at once: the next request of the account finds no such project.

    Members may remove themselves. Their corrections stay, and name them.

    Args:
        project_id (str): UUID of the project.
        name (str): Name of the account, as `GET /me` shows it.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/projects/{project_id}/members/{name}".format(
            project_id=quote(str(project_id), safe=""),
            name=quote(str(name), safe=""),
        ),
        _parse,
        _kwargs,
    )
