from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.member_list import MemberList


def _parse(response: httpx.Response) -> MemberList:
    response_200 = MemberList.from_dict(response.json())

    return response_200


def list_members(
    project_id: str,
) -> Call[MemberList]:
    """List the members of a project.

    Return the users who have a role in the project; each of them sees the list.

    Args:
        project_id (str): UUID of the project.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/projects/{project_id}/members".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
