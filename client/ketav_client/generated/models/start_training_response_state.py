from typing import Literal, cast

StartTrainingResponseState = Literal[
    "cancelled", "evaluating", "failed", "queued", "rejected", "running", "succeeded"
]


def check_start_training_response_state(value: str) -> StartTrainingResponseState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(StartTrainingResponseState, value)
