from typing import Literal, cast

VersionProgressScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_version_progress_script(value: str) -> VersionProgressScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(VersionProgressScript, value)
