from typing import Literal, cast

ProjectRole = Literal["editor", "owner", "viewer"]


def check_project_role(value: str) -> ProjectRole:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(ProjectRole, value)
