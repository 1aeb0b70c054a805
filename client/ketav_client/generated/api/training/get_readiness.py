from typing import Any

import httpx
from ketav_client.call import Call

from ...models.get_readiness_script_type_0 import GetReadinessScriptType0
from ...models.readiness import Readiness
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Readiness:
    response_200 = Readiness.from_dict(response.json())

    return response_200


def get_readiness(
    *,
    script: GetReadinessScriptType0 | None | Unset = UNSET,
    hand: None | str | Unset = UNSET,
) -> Call[Readiness]:
    """Show when the next run is due.

    Return when your next training run is due, why none starts now, and its estimated gain.

    Args:
        script (GetReadinessScriptType0 | None | Unset): Only this script; without it all scripts
            with corrected lines.
        hand (None | str | Unset): Only the hand with this name; empty: your own; without it all
            hands.
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

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/models/readiness",
        _parse,
        _kwargs,
    )
