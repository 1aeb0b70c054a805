from typing import Literal, cast

DocumentPageState = Literal["failed", "read", "stored"]


def check_document_page_state(value: str) -> DocumentPageState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(DocumentPageState, value)
