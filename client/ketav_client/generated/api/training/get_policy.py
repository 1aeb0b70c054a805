from typing import Any

import httpx
from ketav_client.call import Call

from ...models.training_policy import TrainingPolicy


def _parse(response: httpx.Response) -> TrainingPolicy:
    response_200 = TrainingPolicy.from_dict(response.json())

    return response_200


def get_policy() -> Call[TrainingPolicy]:
    """Show the policy for automatic runs.

    Return your policy for automatic training runs.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/models/policy",
        _parse,
        _kwargs,
    )
