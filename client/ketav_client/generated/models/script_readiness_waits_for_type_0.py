from typing import Literal, cast

ScriptReadinessWaitsForType0 = Literal[
    "automatic_off", "minimum_gap", "run_active", "too_few_lines", "too_few_new_lines"
]


def check_script_readiness_waits_for_type_0(value: str) -> ScriptReadinessWaitsForType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ScriptReadinessWaitsForType0, value)
