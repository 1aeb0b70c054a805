"""Members of projects: users with a role in a project of another owner."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class MemberRole(StrEnum):
    """Role that an owner gives to a member."""

    VIEWER = "viewer"
    EDITOR = "editor"


class Role(StrEnum):
    """The role of a user in a project."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def suffices(self, needed: "Role") -> bool:
        """Return whether this role permits what another one does: each permits more than the one before."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a project, by the name of the account."""

    user_id: UUID
    name: str
    role: Role
    create_time: datetime
