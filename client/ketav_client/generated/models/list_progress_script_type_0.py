from typing import Literal, cast

ListProgressScriptType0 = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_list_progress_script_type_0(value: str) -> ListProgressScriptType0:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ListProgressScriptType0, value)
