from typing import Literal, cast

ScriptReadinessScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_script_readiness_script(value: str) -> ScriptReadinessScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ScriptReadinessScript, value)
