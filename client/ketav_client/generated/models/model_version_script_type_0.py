from typing import Literal, cast

ModelVersionScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_model_version_script_type_0(value: str) -> ModelVersionScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ModelVersionScriptType0, value)
