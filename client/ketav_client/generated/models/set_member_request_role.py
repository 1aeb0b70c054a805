from typing import Literal, cast

SetMemberRequestRole = Literal["editor", "viewer"]


def check_set_member_request_role(value: str) -> SetMemberRequestRole:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(SetMemberRequestRole, value)
