from typing import Any

import httpx
from ketav_client.call import Call

from ...models.start_training_request import StartTrainingRequest
from ...models.start_training_response import StartTrainingResponse
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> StartTrainingResponse:
    response_202 = StartTrainingResponse.from_dict(response.json())

    return response_202


def start_training(
    *,
    body: StartTrainingRequest | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[StartTrainingResponse]:
    """Start a training run.

    Queue a training run on your corrections; `GET /train/{run_id}` shows its progress.

    Args:
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (StartTrainingRequest | Unset): The hand to train. Example: {'hand': 'Grandmother'}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}

    if not isinstance(body, Unset):
        _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/train/",
        _parse,
        _kwargs,
    )
