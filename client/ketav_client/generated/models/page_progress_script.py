from typing import Literal, cast

PageProgressScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_page_progress_script(value: str) -> PageProgressScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(PageProgressScript, value)
