from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.training_run import TrainingRun
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> TrainingRun:
    response_200 = TrainingRun.from_dict(response.json())

    return response_200


def cancel_training(
    run_id: str,
    *,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[TrainingRun]:
    """Cancel a training run.

    Cancel a training run: a queued one ends at once, a running one after its current step.

    Args:
        run_id (str): UUID of the training run.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["headers"] = headers
    return Call(
        "post",
        "/train/{run_id}/cancel".format(
            run_id=quote(str(run_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
