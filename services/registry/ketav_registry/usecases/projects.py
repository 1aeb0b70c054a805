"""List and read projects."""

from collections.abc import AsyncIterator
from uuid import UUID

from ketav_common.errors import NotFound
from ketav_registry.database import Database
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects import Project
from ketav_registry.domain.requests import After
from ketav_registry.repository import pages, projects, transcriptions

NO_PROJECT = "no such project"
_PAGES_A_QUERY = 20


async def list_projects(
    user_id: UUID, after: After | None, limit: int, *, database: Database
) -> tuple[list[Project], After | None]:
    """Return the user's projects, newest first, and where the list goes on."""
    async with database.user(user_id) as transaction:
        found = await projects.list_projects(transaction, user_id, after, limit + 1)
    more = (found[limit - 1].create_time, found[limit - 1].project_id) if len(found) > limit else None
    return found[:limit], more


async def get_project(
    user_id: UUID, project_id: UUID, after: After | None, limit: int, *, database: Database
) -> AsyncIterator[Project | Page | After]:
    """Yield a project, then its pages with their transcriptions, then where the list goes on, if it does."""
    async with database.user(user_id) as transaction:
        project = await projects.find_project(transaction, user_id, project_id)
        if project is None:
            raise NotFound(NO_PROJECT)
        found = await pages.list_pages(transaction, user_id, project_id, after, limit + 1)
    yield project
    shown = found[:limit]
    for start in range(0, len(shown), _PAGES_A_QUERY):
        async with database.user(user_id) as transaction:
            part = shown[start : start + _PAGES_A_QUERY]
            full = await transcriptions.with_transcriptions(transaction, user_id, part)
        for page in full:
            yield page
    if len(found) > limit:
        yield shown[-1].create_time, shown[-1].page_id
