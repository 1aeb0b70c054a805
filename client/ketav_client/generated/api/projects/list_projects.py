from typing import Any

import httpx
from ketav_client.call import Call

from ...models.project_list import ProjectList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ProjectList:
    response_200 = ProjectList.from_dict(response.json())

    return response_200


def list_projects(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[ProjectList]:
    """List your projects.

    List the projects that you own or are a member of, newest first.

    Args:
        cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
            without it.
        limit (int | Unset): Maximum number of elements in the response.
    """

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/projects/",
        _parse,
        _kwargs,
    )
