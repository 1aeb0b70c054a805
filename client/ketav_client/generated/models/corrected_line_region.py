from typing import Literal, cast

CorrectedLineRegion = Literal["footer", "header", "heading", "marginalia", "page-number", "paragraph"]


def check_corrected_line_region(value: str) -> CorrectedLineRegion:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(CorrectedLineRegion, value)
