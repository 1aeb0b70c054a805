"""Conversion of members of projects."""

from ketav.registry.v1 import members_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.members import Member, MemberRole, Role

ROLES = {role: members_pb2.Role.Value(f"ROLE_{role.name}") for role in Role}
_MEMBER_ROLES: dict[int, MemberRole] = {
    members_pb2.ROLE_VIEWER: MemberRole.VIEWER,
    members_pb2.ROLE_EDITOR: MemberRole.EDITOR,
}


def member_role(number: int) -> MemberRole:
    """Return the role for a member. InvalidInput invalid-role: it is not one that an owner gives."""
    if number not in _MEMBER_ROLES:
        raise InvalidInput(
            "A member is a viewer or an editor. Send one of these roles.",
            code="invalid-role",
            details={"pointer": "/role"},
        )
    return _MEMBER_ROLES[number]


def needed_role(number: int) -> Role:
    """Return the role that a caller needs; an unspecified one is that of a viewer."""
    return common.choice(ROLES, number, Role.VIEWER)


def member_message(member: Member) -> members_pb2.Member:
    """Return the message of a member."""
    return members_pb2.Member(
        name=member.name, role=ROLES[member.role], create_time=common.timestamp(member.create_time)
    )
