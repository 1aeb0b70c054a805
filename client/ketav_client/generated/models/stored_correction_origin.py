from typing import Literal, cast

StoredCorrectionOrigin = Literal["imported", "user"]


def check_stored_correction_origin(value: str) -> StoredCorrectionOrigin:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(StoredCorrectionOrigin, value)
