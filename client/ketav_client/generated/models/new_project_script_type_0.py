from typing import Literal, cast

NewProjectScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_new_project_script_type_0(value: str) -> NewProjectScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(NewProjectScriptType0, value)
