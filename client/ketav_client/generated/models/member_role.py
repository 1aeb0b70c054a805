from typing import Literal, cast

MemberRole = Literal["editor", "viewer"]


def check_member_role(value: str) -> MemberRole:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(MemberRole, value)
