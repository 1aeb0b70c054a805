from typing import Literal, cast

ModelVersionKind = Literal["base", "user"]


def check_model_version_kind(value: str) -> ModelVersionKind:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelVersionKind, value)
