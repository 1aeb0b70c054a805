from typing import Any

import httpx
from ketav_client.call import Call

from ...models.training_run_list import TrainingRunList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> TrainingRunList:
    response_200 = TrainingRunList.from_dict(response.json())

    return response_200


def list_training(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[TrainingRunList]:
    """List your training runs.

    List your training runs of all hands, newest first.

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
        "/train/",
        _parse,
        _kwargs,
    )
