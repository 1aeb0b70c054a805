from typing import Literal, cast

GetReadinessScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_get_readiness_script_type_0(value: str) -> GetReadinessScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(GetReadinessScriptType0, value)
