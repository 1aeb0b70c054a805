from typing import Literal, cast

ModelKind = Literal["base", "user"]


def check_model_kind(value: str) -> ModelKind:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelKind, value)
