from typing import Literal, cast

OcrAcceptedResponseState = Literal["read", "stored"]


def check_ocr_accepted_response_state(value: str) -> OcrAcceptedResponseState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(OcrAcceptedResponseState, value)
