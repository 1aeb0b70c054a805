from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.training_run import TrainingRun


def _parse(response: httpx.Response) -> TrainingRun:
    response_200 = TrainingRun.from_dict(response.json())

    return response_200


def get_training(
    run_id: str,
) -> Call[TrainingRun]:
    """Show a training run.

    Return a training run: its state, progress, CER and verdict.

    Args:
        run_id (str): UUID of the training run.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/train/{run_id}".format(
            run_id=quote(str(run_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
