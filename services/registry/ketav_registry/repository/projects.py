"""Projects and pages."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_common.errors import Conflict
from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.pages import (
    After,
    Image,
    NewPage,
    Page,
    PageState,
    Project,
    Request,
    digest_key,
)
from ketav_registry.tables import page, project

_pr, _pa = project.c, page.c


def project_of(row: Any) -> Project:  # noqa: ANN401 - a row of project
    """Read a project."""
    return Project(row.id, row.name, row.script, row.created_at)


def page_of(row: Any) -> Page:  # noqa: ANN401 - a row of page
    """Read a page without its transcription."""
    key = row.object_key or digest_key(row.sha256)
    image = Image(row.width, row.height, row.media_type, row.sha256, row.size_bytes, key)
    return Page(row.id, row.project_id, image, row.layout, row.state, row.created_at)


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


async def find_page(
    transaction: Transaction,
    user_id: UUID,
    page_id: UUID,
    project_id: UUID | None = None,
    *,
    lock: bool = False,
) -> Page | None:
    """Return a page of the user (of a project, when one is named); `lock` holds off other writers."""
    query = page.select().where(_pa.id == page_id, _pa.user_id == user_id)
    if project_id is not None:
        query = query.where(_pa.project_id == project_id)
    if lock:
        query = query.with_for_update()
    row = (await transaction.execute(query)).first()
    return None if row is None else page_of(row)


async def list_pages(
    transaction: Transaction, user_id: UUID, project_id: UUID, after: After | None, limit: int
) -> list[Page]:
    """Return a project's pages, oldest first, without their transcriptions."""
    query = page.select().where(_pa.project_id == project_id, _pa.user_id == user_id)
    if after is not None:
        query = query.where(sa.tuple_(_pa.created_at, _pa.id) > after)
    query = query.order_by(_pa.created_at, _pa.id).limit(limit)
    return [page_of(row) for row in await transaction.execute(query)]


async def find_requested_page(transaction: Transaction, user_id: UUID, request: Request) -> Page | None:
    """Return the page that a request made before. Conflict: the key was used for something else."""
    if not request.request_id:
        return None
    query = page.select().where(_pa.user_id == user_id, _pa.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    same_request(row, request)
    return page_of(row)


def same_request(row: Any, request: Request) -> None:  # noqa: ANN401 - a row with request columns
    """Refuse an Idempotency-Key that was used with another request (Conflict)."""
    if row.request_sha256 != request.sha256:
        raise Conflict(
            "the Idempotency-Key was used with another request before", code="idempotency-key-reused"
        )


async def insert_page(
    transaction: Transaction, user_id: UUID, page_id: UUID, project_id: UUID, new: NewPage, image: Image
) -> Page | None:
    """Store a page; None when the same request has stored one meanwhile."""
    values = {
        "id": page_id,
        "user_id": user_id,
        "project_id": project_id,
        "sha256": image.sha256,
        "size_bytes": image.size_bytes,
        "object_key": image.key,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "layout": new.layout,
        "state": PageState.STORED,
        "request_id": new.request.request_id or None,
        "request_sha256": new.request.sha256 or None,
    }
    query = pg.insert(page).values(**values).on_conflict_do_nothing().returning(page)
    row = (await transaction.execute(query)).first()
    return None if row is None else page_of(row)
