from typing import Literal, cast

ModelRecordKind = Literal["base", "user"]


def check_model_record_kind(value: str) -> ModelRecordKind:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelRecordKind, value)
