from typing import Literal, cast

ProjectChangeScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_project_change_script_type_0(value: str) -> ProjectChangeScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ProjectChangeScriptType0, value)
