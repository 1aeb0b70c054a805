from typing import Literal, cast

TrainingRunState = Literal["cancelled", "evaluating", "failed", "queued", "rejected", "running", "succeeded"]


def check_training_run_state(value: str) -> TrainingRunState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(TrainingRunState, value)
