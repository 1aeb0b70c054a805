from typing import Literal, cast

TrainingRunScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_training_run_script(value: str) -> TrainingRunScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(TrainingRunScript, value)
