from typing import Literal, cast

ModelRecordState = Literal["active", "available", "retired", "tainted"]


def check_model_record_state(value: str) -> ModelRecordState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelRecordState, value)
