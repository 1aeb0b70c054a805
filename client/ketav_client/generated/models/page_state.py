from typing import Literal, cast

PageState = Literal["read", "stored"]


def check_page_state(value: str) -> PageState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(PageState, value)
