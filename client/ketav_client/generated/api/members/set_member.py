from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.member import Member
from ...models.set_member_request import SetMemberRequest


def _parse(response: httpx.Response) -> Member:
    response_200 = Member.from_dict(response.json())

    return response_200


def set_member(
    project_id: str,
    name: str,
    *,
    body: SetMemberRequest,
) -> Call[Member]:
    """Invite a member, or change their role.

    Set the role of the account with this name in your project, which it lists from now on.

    What editors correct trains the hand of the project, which is the owner's; corrections name
    their author.

    Args:
        project_id (str): UUID of the project.
        name (str): Name of the account, as `GET /me` shows it.
        body (SetMemberRequest): The role of a member. Example: {'role': 'editor'}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "put",
        "/projects/{project_id}/members/{name}".format(
            project_id=quote(str(project_id), safe=""),
            name=quote(str(name), safe=""),
        ),
        _parse,
        _kwargs,
    )
