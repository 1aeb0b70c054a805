from typing import Literal, cast

ImportedLineState = Literal["quarantined", "skipped"]


def check_imported_line_state(value: str) -> ImportedLineState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ImportedLineState, value)
