from typing import Literal, cast

GetProjectFields = Literal["all", "images", "text"]


def check_get_project_fields(value: str) -> GetProjectFields:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(GetProjectFields, value)
