from typing import Any

import httpx
from ketav_client.call import Call

from ...models.list_progress_script_type_0 import ListProgressScriptType0
from ...models.model_progress import ModelProgress
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ModelProgress:
    response_200 = ModelProgress.from_dict(response.json())

    return response_200


def list_progress(
    *,
    script: ListProgressScriptType0 | None | Unset = UNSET,
    hand: None | str | Unset = UNSET,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[ModelProgress]:
    """Compare first readings with your corrections.

    Compare first readings with your corrections: the errors of each page, and of each model
    version.

    Args:
        script (ListProgressScriptType0 | None | Unset): Only this script; without it all scripts.
        hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
            hands.
        cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
            without it.
        limit (int | Unset): Maximum number of elements in the response.
    """

    params: dict[str, Any] = {}

    json_script: None | str | Unset
    if isinstance(script, Unset):
        json_script = UNSET
    elif isinstance(script, str):
        json_script = script
    else:
        json_script = script
    params["script"] = json_script

    json_hand: None | str | Unset
    if isinstance(hand, Unset):
        json_hand = UNSET
    else:
        json_hand = hand
    params["hand"] = json_hand

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/models/progress",
        _parse,
        _kwargs,
    )
