from typing import Literal, cast

ModelVersionState = Literal["active", "available", "retired", "tainted"]


def check_model_version_state(value: str) -> ModelVersionState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelVersionState, value)
