from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.model_version import ModelVersion
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ModelVersion:
    response_200 = ModelVersion.from_dict(response.json())

    return response_200


def activate_model(
    version: str,
    *,
    hand: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[ModelVersion]:
    """Activate a model version.

    Make a version the active model of its hand: for a rollback, or to return to the base model.

    A base becomes the active model of `hand`, without it of your own hand.

    Args:
        version (str): Name of the model version.
        hand (None | str | Unset): Name of the hand that a base model becomes the active model of;
            empty, or without it: your own. A version that you have trained belongs to a hand already:
            only the name of that hand is accepted.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    params: dict[str, Any] = {}

    json_hand: None | str | Unset
    if isinstance(hand, Unset):
        json_hand = UNSET
    else:
        json_hand = hand
    params["hand"] = json_hand

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    _kwargs["headers"] = headers
    return Call(
        "post",
        "/models/{version}/activate".format(
            version=quote(str(version), safe=""),
        ),
        _parse,
        _kwargs,
    )
