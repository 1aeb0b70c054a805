"""Members of projects."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.members import Member, MemberRole, Role
from ketav_registry.tables import account, project, project_member

_member, _account = project_member.c, account.c


MEMBER_ID: sa.ColumnElement[UUID] = sa.cast(
    sa.func.nullif(sa.func.current_setting("app.member_id", sa.true()), ""), sa.Uuid
)
"""The member that the transaction acts for; NULL for an owner."""


def shared_projects(user_id: UUID) -> sa.Select[Any]:
    """Return a query for the ids of the projects that a user is a member of."""
    return sa.select(_member.project_id).where(_member.member_id == user_id)


async def list_shared_projects(transaction: Transaction, user_id: UUID, limit: int) -> list[UUID]:
    """Return the ids of the projects that a user became a member of, the latest first, at most `limit`."""
    newest_first = shared_projects(user_id).order_by(_member.created_at.desc(), _member.project_id)
    return list(await transaction.scalars(newest_first.limit(limit)))


async def list_members(transaction: Transaction, project_id: UUID) -> list[Member]:
    """Return the members of a project in the order in which they became members."""
    query = (
        sa.select(_member.member_id, _member.role, _member.created_at, _account.name)
        .join(account, _account.id == _member.member_id)
        .where(_member.project_id == project_id)
        .order_by(_member.created_at, _member.member_id)
    )
    return [
        Member(row.member_id, row.name, Role(row.role), row.created_at)
        for row in await transaction.execute(query)
    ]


async def put_member(
    transaction: Transaction, owner_id: UUID, project_id: UUID, member_id: UUID, role: MemberRole
) -> None:
    """Make a user a member of the owner's project, or change the role of a member."""
    values = {"project_id": project_id, "member_id": member_id, "user_id": owner_id, "role": role}
    query = pg.insert(project_member).values(**values)
    query = query.on_conflict_do_update(index_elements=["project_id", "member_id"], set_={"role": role})
    await transaction.execute(query)


async def delete_member(transaction: Transaction, project_id: UUID, member_id: UUID) -> bool:
    """End a membership; False when there is none."""
    query = project_member.delete().where(_member.project_id == project_id, _member.member_id == member_id)
    return bool((await transaction.execute(query)).rowcount)


async def link_state(transaction: Transaction, project_id: UUID, member_id: UUID | None) -> str:
    """Return what a link to a project contains: the number of its links, and when the member became one."""
    since = sa.select(_member.created_at).where(
        _member.project_id == project_id, _member.member_id == member_id
    )
    query = sa.select(project.c.link_number, since.scalar_subquery()).where(project.c.id == project_id)
    number, joined = (await transaction.execute(query)).one()
    return f"{number} {joined.isoformat() if joined else ''}".strip()


async def increment_link_number(transaction: Transaction, user_id: UUID, project_id: UUID) -> None:
    """Revoke the links to a project of the user."""
    query = project.update().where(project.c.id == project_id, project.c.user_id == user_id)
    await transaction.execute(query.values(link_number=project.c.link_number + 1))
