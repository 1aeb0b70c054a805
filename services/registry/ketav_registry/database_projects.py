"""The scope of a transaction for one project: of its owner, or of a member with a role.

The rows of a project belong to its owner, also those that members insert. A transaction for a member has the
owner as its user, and names the member and the project: row-level security limits it to the project, and a
viewer to reading.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ketav_common.errors import Forbidden
from ketav_registry.domain.members import Role
from ketav_registry.domain.requests import RequestKey

_MEMBERSHIP = """
    SELECT member.user_id, member.role, {lock}(hashtextextended(coalesce(member.user_id, :caller)::text, 0))
    FROM (VALUES (1)) AS always
    LEFT JOIN project_member AS member ON member.project_id = :project_id AND member.member_id = :caller
"""
_LOCK_SHARED = sa.text(_MEMBERSHIP.format(lock="pg_advisory_xact_lock_shared"))
_LOCK_EXCLUSIVE = sa.text(_MEMBERSHIP.format(lock="pg_advisory_xact_lock"))
"""Select the membership of the caller, if any, and take the lock of the owner of the project."""
_ROLE = sa.text("SELECT role FROM project_member WHERE project_id = :project_id AND member_id = :caller")
_SET_MEMBER = sa.text(
    "SELECT set_config('app.user_id', :user_id, true), set_config('app.member_id', :member_id, true), "
    "set_config('app.project_id', :project_id, true)"
)


@dataclass(frozen=True, slots=True)
class ProjectScope:
    """A transaction for a project, the owner of its rows, and the role of the caller.

    `member_id` is the caller unless they are the owner. A caller without a role is the owner of no such
    project: every search for it finds nothing.
    """

    transaction: AsyncConnection
    project_id: UUID | None
    owner_id: UUID
    role: Role
    member_id: UUID | None = None

    def require(self, needed: Role) -> None:
        """Raise Forbidden insufficient-role if the role of the caller permits less than the needed one."""
        if not self.role.suffices(needed):
            raise Forbidden(
                f"You are a {self.role} of this project, and only its owner and its editors may do this. "
                "Ask the owner to make you an editor."
                if needed is Role.EDITOR
                else f"You are a {self.role} of this project, and only its owner may do this. Ask the owner.",
                code="insufficient-role",
                details={"role": self.role},
            )

    def key(self, request: RequestKey) -> RequestKey:
        """Return the key under which a request is stored: the keys of members are apart from the owner's."""
        if self.member_id is None or not request.request_id:
            return request
        return replace(request, request_id=f"{self.member_id}/{self.project_id}/{request.request_id}")

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[None]:
        """Set the rights of the transaction to the owner's while the block runs.

        It is for what follows from an act that the role permits: the models and runs of the owner that depend
        on it, the list of members, and the end of the caller's own membership.
        """
        await self._set_member(None)
        yield
        await self._set_member(self.member_id)

    async def _set_member(self, member_id: UUID | None) -> None:
        """Set the scope to the rows of the owner; with a member, to those that the member may use."""
        if self.member_id is not None:
            await set_member(self.transaction, self.owner_id, self.project_id, member_id)


async def set_member(
    transaction: AsyncConnection, owner_id: UUID, project_id: UUID | None, member_id: UUID | None
) -> None:
    """Set the rows that a transaction uses: the owner's, limited to what the member may see and change."""
    values = {
        "user_id": str(owner_id),
        "member_id": str(member_id or ""),
        "project_id": str(project_id if member_id else ""),
    }
    await transaction.execute(_SET_MEMBER, values)


async def enter_project(
    transaction: AsyncConnection, caller_id: UUID, project_id: UUID | None, *, exclusive: bool
) -> ProjectScope:
    """Lock the data of the project's owner and set the scope of a transaction that the caller has opened.

    The role is read again behind the lock: the owner, whose revocation takes it exclusively, may be faster.
    """
    arguments = {"project_id": project_id, "caller": caller_id}
    lock = _LOCK_EXCLUSIVE if exclusive else _LOCK_SHARED
    membership = (await transaction.execute(lock, arguments)).one()
    role = await transaction.scalar(_ROLE, arguments) if membership.role else None
    if role is None:
        return ProjectScope(transaction, project_id, caller_id, Role.OWNER)
    await set_member(transaction, membership.user_id, project_id, caller_id)
    return ProjectScope(transaction, project_id, membership.user_id, Role(role), caller_id)
