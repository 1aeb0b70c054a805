from typing import Literal, cast

RunOcrBodyScript = Literal["ashkenazi", "modern_cursive", "rashi", "sephardi", "square"]


def check_run_ocr_body_script(value: str) -> RunOcrBodyScript:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(RunOcrBodyScript, value)
