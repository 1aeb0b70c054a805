from typing import Literal, cast

PageLayout = Literal["line", "page"]


def check_page_layout(value: str) -> PageLayout:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(PageLayout, value)
