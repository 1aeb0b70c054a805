from typing import Any

import httpx
from ketav_client.call import Call

from ...models.set_training_policy_request import SetTrainingPolicyRequest
from ...models.training_policy import TrainingPolicy


def _parse(response: httpx.Response) -> TrainingPolicy:
    response_200 = TrainingPolicy.from_dict(response.json())

    return response_200


def set_policy(
    *,
    body: SetTrainingPolicyRequest,
) -> Call[TrainingPolicy]:
    """Set the policy for automatic runs.

    Replace your policy for automatic training runs; `POST /train/` starts a run regardless of it.

    Args:
        body (SetTrainingPolicyRequest): The policy for automatic runs; replaces the earlier one.
            Example: {'automatic': True, 'minimum_gap_seconds': 300}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "put",
        "/models/policy",
        _parse,
        _kwargs,
    )
