"""Rows of projects."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects import Project
from ketav_registry.domain.requests import After
from ketav_registry.tables import project

_pr = project.c


def project_of(row: Any) -> Project:  # noqa: ANN401 - a row of project
    """Read a project."""
    return Project(row.id, row.name, row.script, row.created_at)


async def find_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> Project | None:
    """Return a project of the user."""
    query = project.select().where(_pr.id == project_id, _pr.user_id == user_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else project_of(row)


async def list_projects(
    transaction: Transaction, user_id: UUID, after: After | None, limit: int
) -> list[Project]:
    """Return the user's projects, newest first."""
    query = project.select().where(_pr.user_id == user_id)
    if after is not None:
        query = query.where(sa.tuple_(_pr.created_at, _pr.id) < after)
    query = query.order_by(_pr.created_at.desc(), _pr.id.desc()).limit(limit)
    return [project_of(row) for row in await transaction.execute(query)]


async def insert_project(transaction: Transaction, user_id: UUID, name: str, script: Script) -> UUID:
    """Store a project; one without a name is called by the database's time."""
    project_id = uuid4()
    named = name or sa.func.to_char(sa.func.now(), "YYYY-MM-DD HH24:MI:SS")
    values = {"id": project_id, "user_id": user_id, "name": named, "script": script}
    await transaction.execute(project.insert().values(**values))
    return project_id
