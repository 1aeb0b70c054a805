"""Projects."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.projects import Project
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of
from ketav_registry.tables import hand, project

_project = project.c
_PROJECTS = sa.select(project, HAND_NAME).outerjoin_from(project, hand, hand.c.id == _project.hand_id)


def _project_of(row: Any) -> Project:  # noqa: ANN401 - a row of _PROJECTS
    """Return the project of a row."""
    return Project(row.id, row.name, hand_of(row), row.created_at)


async def find_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> Project | None:
    """Return a project of the user; None when there is no such project."""
    query = _PROJECTS.where(_project.id == project_id, _project.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _project_of(row)


async def list_projects(
    transaction: Transaction, user_id: UUID, after: ListPosition[UUID] | None, limit: int
) -> list[Project]:
    """Return the user's projects, newest first."""
    query = _PROJECTS.where(_project.user_id == user_id)
    if after is not None:
        query = query.where(sa.tuple_(_project.created_at, _project.id) < after)
    query = query.order_by(_project.created_at.desc(), _project.id.desc()).limit(limit)
    return [_project_of(row) for row in await transaction.execute(query)]


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


async def set_hand(transaction: Transaction, user_id: UUID, project_id: UUID, owner: Hand) -> None:
    """Set the hand of a project, which has its script; its lines train this hand from now on."""
    query = project.update().where(_project.id == project_id, _project.user_id == user_id)
    await transaction.execute(query.values(hand_id=owner.hand_id))
