from typing import Literal, cast

LineRegion = Literal["footer", "header", "heading", "marginalia", "page-number", "paragraph"]


def check_line_region(value: str) -> LineRegion:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(LineRegion, value)
