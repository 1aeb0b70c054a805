from typing import Literal, cast

RunOcrBodyLayout = Literal["line", "page"]


def check_run_ocr_body_layout(value: str) -> RunOcrBodyLayout:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(RunOcrBodyLayout, value)
