"""Projects."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.members import Role
from ketav_registry.domain.projects import NewProject, Project
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.repository.members import shared_projects
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of, is_same
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import account, hand, project, project_member

_project = project.c
_PROJECTS = (
    sa.select(project, HAND_NAME, account.c.name.label("owner"))
    .outerjoin_from(project, hand, hand.c.id == _project.hand_id)
    .join(account, account.c.id == _project.user_id)
)


def _project_of(row: Any, role: Role = Role.OWNER) -> Project:  # noqa: ANN401 - a row of _PROJECTS
    """Return the project of a row, with the role of the user who reads it."""
    return Project(row.id, row.name, hand_of(row), row.created_at, row.owner, role)


async def find_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> Project | None:
    """Return a project of the user; None when there is no such project."""
    query = _PROJECTS.where(_project.id == project_id, _project.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _project_of(row)


async def list_projects(
    transaction: Transaction, user_id: UUID, after: ListPosition[UUID] | None, limit: int
) -> list[Project]:
    """Return the projects that a user owns or is a member of, newest first."""
    membership = sa.and_(project_member.c.project_id == _project.id, project_member.c.member_id == user_id)
    query = _PROJECTS.add_columns(project_member.c.role).outerjoin(project_member, membership)
    query = query.where(sa.or_(_project.user_id == user_id, _project.id.in_(shared_projects(user_id))))
    if after is not None:
        query = query.where(sa.tuple_(_project.created_at, _project.id) < after)
    query = query.order_by(_project.created_at.desc(), _project.id.desc()).limit(limit)
    return [_project_of(row, Role(row.role or Role.OWNER)) for row in await transaction.execute(query)]


async def insert_project(transaction: Transaction, user_id: UUID, name: str, owner: Hand) -> UUID:
    """Insert a project and return its id; an empty name becomes the database's time."""
    project_id = uuid4()
    values = {
        "id": project_id,
        "user_id": user_id,
        "name": name or sa.func.to_char(sa.func.now(), "YYYY-MM-DD HH24:MI:SS"),
        "script": owner.script,
        "hand_id": owner.hand_id,
    }
    await transaction.execute(project.insert().values(**values))
    return project_id


async def find_requested_project(
    transaction: Transaction, user_id: UUID, request: RequestKey
) -> Project | None:
    """Return the project that the same request has created.

    Conflict: a different request had the same key.
    """
    if not request.request_id:
        return None
    query = _PROJECTS.where(_project.user_id == user_id, _project.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    check_same_request(row, request)
    return _project_of(row)


async def lock_name(transaction: Transaction, user_id: UUID, name: str) -> None:
    """Block transactions that give a project of the user this name until this one ends."""
    key = sa.func.hashtextextended(f"{user_id} {name}", 0)
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def find_name(transaction: Transaction, user_id: UUID, name: str) -> list[UUID]:
    """Return the ids of the user's projects with a name, oldest first."""
    query = sa.select(_project.id).where(_project.user_id == user_id, _project.name == name)
    return list(await transaction.scalars(query.order_by(_project.created_at, _project.id)))


async def create_project(
    transaction: Transaction, user_id: UUID, new: NewProject, owner: Hand
) -> Project | None:
    """Insert a project of a hand without pages; None when the same request has inserted one concurrently."""
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "name": new.name,
        "script": owner.script,
        "hand_id": owner.hand_id,
        "request_id": new.request.request_id or None,
        "request_sha256": new.request.sha256 or None,
    }
    query = pg.insert(project).values(**values).on_conflict_do_nothing().returning(_project.id)
    project_id = await transaction.scalar(query)
    return None if project_id is None else await find_project(transaction, user_id, project_id)


async def update_project(
    transaction: Transaction, user_id: UUID, project_id: UUID, name: str, owner: Hand
) -> None:
    """Set the name, the hand and its script of a project; its lines train this hand from now on."""
    query = project.update().where(_project.id == project_id, _project.user_id == user_id)
    stays = sa.and_(_project.script == owner.script, is_same(_project.hand_id, owner.hand_id))
    changed_at = sa.case((stays, _project.hand_changed_at), else_=sa.func.clock_timestamp())
    values = {"script": owner.script, "hand_id": owner.hand_id, "hand_changed_at": changed_at}
    await transaction.execute(query.values(name=name, **values))
