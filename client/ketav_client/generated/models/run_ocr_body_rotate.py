from typing import Literal, cast

RunOcrBodyRotate = Literal["0", "180", "270", "90", "auto"]


def check_run_ocr_body_rotate(value: str) -> RunOcrBodyRotate:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(RunOcrBodyRotate, value)
