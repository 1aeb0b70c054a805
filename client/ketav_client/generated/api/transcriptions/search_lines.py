from typing import Any

import httpx
from ketav_client.call import Call

from ...models.search_result import SearchResult
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> SearchResult:
    response_200 = SearchResult.from_dict(response.json())

    return response_200


def search_lines(
    *,
    q: str,
    project_id: None | str | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[SearchResult]:
    """Search lines.

    Find lines by their verified text, or by the reading where there is none; at most 1,000.

    Niqqud and final letters are of no account, and a word may have the prefixes ו ה ב כ ל מ ש. One
    letter of a word of four or five letters may differ, and two of a longer one: models misread.

    Args:
        q (str): Words that a line must contain, at most 8.
        project_id (None | str | Unset): Project to search; without it all of yours, and the 50
            latest shared with you.
        cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
            without it.
        limit (int | Unset): Maximum number of elements in the response.
    """

    params: dict[str, Any] = {}

    params["q"] = q

    json_project_id: None | str | Unset
    if isinstance(project_id, Unset):
        json_project_id = UNSET
    else:
        json_project_id = project_id
    params["project_id"] = json_project_id

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/search",
        _parse,
        _kwargs,
    )
