from typing import Literal, cast

QuarantinedLineCode = Literal["empty-text", "outside-alphabet", "too-long-for-line", "unlike-reading"]


def check_quarantined_line_code(value: str) -> QuarantinedLineCode:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(QuarantinedLineCode, value)
