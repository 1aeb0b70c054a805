from typing import Any

import httpx
from ketav_client.call import Call

from ...models.model_list import ModelList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ModelList:
    response_200 = ModelList.from_dict(response.json())

    return response_200


def list_models(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[ModelList]:
    """List your model versions.

    List your model versions and the base models, newest first.

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
        "/models/",
        _parse,
        _kwargs,
    )
