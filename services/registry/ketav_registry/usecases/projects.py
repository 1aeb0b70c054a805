"""Projects of a user."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_registry.database import Transaction
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects import Project
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository import pages, projects, transcriptions
from ketav_registry.stores import Stores

_PAGES_PER_QUERY = 20
"""Pages whose transcriptions one transaction reads: memory stays bounded while a project is streamed."""


@dataclass(frozen=True, slots=True)
class ProjectList:
    """A part of a list of projects, and the position at which the list continues, if it does."""

    projects: list[Project]
    next_position: ListPosition[UUID] | None


async def require_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> Project:
    """Return a project of the user. NotFound: there is no such project."""
    project = await projects.find_project(transaction, user_id, project_id)
    if project is None:
        raise NotFound("This account has no project with this id. List the projects with GET /projects/.")
    return project


async def list_projects(
    user_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> ProjectList:
    """Return at most `limit` projects of the user, newest first."""
    async with stores.database.user(user_id) as transaction:
        rows = await projects.list_projects(transaction, user_id, after, limit + 1)
    if len(rows) <= limit:
        return ProjectList(rows, None)
    last = rows[limit - 1]
    return ProjectList(rows[:limit], ListPosition(last.create_time, last.project_id))


async def get_project(
    user_id: UUID, project_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> AsyncIterator[Project | Page | ListPosition[UUID]]:
    """Yield a project, its pages with their transcriptions, then the position of the next page, if any."""
    async with stores.database.user(user_id) as transaction:
        project = await require_project(transaction, user_id, project_id)
        rows = await pages.list_pages(transaction, user_id, project_id, after, limit + 1)
    yield project
    listed = rows[:limit]
    for start in range(0, len(listed), _PAGES_PER_QUERY):
        batch = listed[start : start + _PAGES_PER_QUERY]
        async with stores.database.user(user_id) as transaction:
            read_pages = await transcriptions.with_transcriptions(transaction, user_id, batch)
        for page in read_pages:
            yield page
    if len(rows) > limit:
        yield ListPosition(listed[-1].create_time, listed[-1].page_id)
