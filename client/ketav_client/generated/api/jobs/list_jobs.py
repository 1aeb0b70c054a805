from typing import Any

import httpx
from ketav_client.call import Call

from ...models.job_list import JobList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> JobList:
    response_200 = JobList.from_dict(response.json())

    return response_200


def list_jobs(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[JobList]:
    """List your jobs.

    List your jobs, newest first. A job is deleted 30 days after its end; what it has read stays.

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
        "/jobs/",
        _parse,
        _kwargs,
    )
