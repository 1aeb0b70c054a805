from typing import Literal, cast

ImportedFileState = Literal["imported", "skipped", "unchanged"]


def check_imported_file_state(value: str) -> ImportedFileState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ImportedFileState, value)
