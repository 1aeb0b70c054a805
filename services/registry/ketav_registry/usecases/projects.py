"""Projects of a user."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

from ketav_common.errors import Conflict, InvalidInput, NotFound
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_registry.database import Transaction, UniqueConflictError
from ketav_registry.domain.members import Role
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects import NewProject, Project, ProjectChange
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository import pages, projects, projects_hands, transcriptions
from ketav_registry.stores import Stores
from ketav_registry.usecases.projects_hands import project_hand
from ketav_registry.usecases.requests import clean_field

_PAGES_PER_QUERY = 20
"""Pages whose transcriptions one transaction reads: memory stays bounded while a project is streamed."""


@dataclass(frozen=True, slots=True)
class ProjectList:
    """A part of a list of projects, and the position at which the list continues, if it does."""

    projects: list[Project]
    next_position: ListPosition[UUID] | None


@dataclass(frozen=True, slots=True)
class PageRange:
    """The part of a project's pages to read, and whether with their transcriptions."""

    after: ListPosition[UUID] | None
    limit: int
    transcriptions: bool


async def require_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> Project:
    """Return a project of the user. NotFound: there is no such project."""
    project = await projects.find_project(transaction, user_id, project_id)
    if project is None:
        raise NotFound("This account has no project with this id. List the projects with GET /projects/.")
    return project


async def list_projects(
    user_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> ProjectList:
    """Return at most `limit` projects that the user owns or is a member of, newest first."""
    async with stores.database.user(user_id) as transaction:
        rows = await projects.list_projects(transaction, user_id, after, limit + 1)
    if len(rows) <= limit:
        return ProjectList(rows, None)
    last = rows[limit - 1]
    return ProjectList(rows[:limit], ListPosition(last.create_time, last.project_id))


async def get_project(
    user_id: UUID, project_id: UUID, part: PageRange, *, stores: Stores
) -> AsyncIterator[Project | Page | ListPosition[UUID]]:
    """Yield a project, a part of its pages, then the position of the next page, if any."""
    async with stores.database.project(user_id, project_id) as scope:
        transaction, owner_id = scope.transaction, scope.owner_id
        project = await require_project(transaction, owner_id, project_id)
        rows = await pages.list_pages(transaction, owner_id, project_id, part.after, part.limit + 1)
    yield replace(project, role=scope.role)
    listed = rows[: part.limit]
    if not part.transcriptions:
        for page in listed:
            yield page
    for start in range(0, len(listed) if part.transcriptions else 0, _PAGES_PER_QUERY):
        batch = listed[start : start + _PAGES_PER_QUERY]
        async with stores.database.project(user_id, project_id) as scope:
            await require_project(scope.transaction, scope.owner_id, project_id)
            read_pages = await transcriptions.with_transcriptions(scope.transaction, scope.owner_id, batch)
        for page in read_pages:
            yield page
    if len(rows) > part.limit:
        yield ListPosition(listed[-1].create_time, listed[-1].page_id)


def _clean_name(name: str) -> str:
    """Return a project's name in stored form. InvalidInput: it is empty or breaks a rule of texts."""
    cleaned = clean_field(name, {"pointer": "/name"}, max_length=MAX_NAME_CODE_POINTS)
    if not cleaned:
        raise InvalidInput(
            "The name of the project is empty. Send at least one character.", details={"pointer": "/name"}
        )
    return cleaned


async def _require_free_name(
    transaction: Transaction, user_id: UUID, name: str, project_id: UUID | None = None
) -> None:
    """Raise Conflict name-taken if a project of the user other than `project_id` has a name."""
    await projects.lock_name(transaction, user_id, name)
    others = [other for other in await projects.find_name(transaction, user_id, name) if other != project_id]
    if others:
        raise Conflict(
            f"Your project {others[0]} has this name. Use that project, or send another name.",
            code="name-taken",
            details={"pointer": "/name", "project_id": str(others[0])},
        )


async def create_project(user_id: UUID, new: NewProject, *, stores: Stores) -> Project:
    """Create a project without pages; a repeated request gets the project of the first one.

    InvalidInput: a name breaks a rule, or hand-script. Conflict name-taken: another project has the name.
    Conflict idempotency-key-reused: a different request had the same Idempotency-Key.
    """
    new = replace(new, name=_clean_name(new.name))
    async with stores.database.user(user_id) as transaction:
        await projects.lock_name(transaction, user_id, new.name)
        known = await projects.find_requested_project(transaction, user_id, new.request)
        if known is not None:
            return known
        await _require_free_name(transaction, user_id, new.name)
        hand = await project_hand(transaction, user_id, new.hand, new.script, insert=True)
        project = await projects.create_project(transaction, user_id, new, hand)
        if project is None:  # another request with this key has committed a project of another name
            project = await projects.find_requested_project(transaction, user_id, new.request)
    if project is None:
        raise UniqueConflictError
    return project


async def update_project(
    user_id: UUID, project_id: UUID, change: ProjectChange, *, stores: Stores
) -> Project:
    """Change a project's name, script or hand and return it; a field of None stays.

    The name of a hand that no project has any more is removed. The user's other transactions wait, because
    the fields that stay are written as they were read, and another project may get the hand meanwhile.

    NotFound: there is no such project. InvalidInput: a name breaks a rule, or hand-script. Conflict
    name-taken.
    """
    if change.name is not None:
        change = replace(change, name=_clean_name(change.name))
    async with stores.database.project(user_id, project_id, Role.OWNER, exclusive=True) as scope:
        transaction = scope.transaction
        project = await require_project(transaction, user_id, project_id)
        if change.name not in {None, project.name}:
            await _require_free_name(transaction, user_id, change.name or "", project_id)
        name = project.hand.name if change.hand is None else change.hand
        script = change.script or project.script
        hand = await project_hand(transaction, user_id, name, script, insert=True)
        await projects.update_project(transaction, user_id, project_id, change.name or project.name, hand)
        if project.hand.hand_id not in {None, hand.hand_id}:
            await projects_hands.rename_unused(transaction, user_id, project.hand.hand_id)
        return await require_project(transaction, user_id, project_id)
