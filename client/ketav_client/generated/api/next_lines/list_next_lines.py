from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.next_line_list import NextLineList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> NextLineList:
    response_200 = NextLineList.from_dict(response.json())

    return response_200


def list_next_lines(
    project_id: str,
    *,
    limit: int | Unset = UNSET,
) -> Call[NextLineList]:
    """List the lines to correct next.

    List the uncorrected lines of a project whose correction improves your model most, best first.

    Args:
        project_id (str): UUID of the project.
        limit (int | Unset): Maximum number of lines in the response.
    """

    params: dict[str, Any] = {}

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/projects/{project_id}/next-lines".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
