from typing import Literal, cast

QuarantineCode = Literal["empty-text", "outside-alphabet", "too-long-for-line", "unlike-reading"]


def check_quarantine_code(value: str) -> QuarantineCode:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(QuarantineCode, value)
