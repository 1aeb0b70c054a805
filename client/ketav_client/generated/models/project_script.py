from typing import Literal, cast

ProjectScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_project_script(value: str) -> ProjectScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ProjectScript, value)
