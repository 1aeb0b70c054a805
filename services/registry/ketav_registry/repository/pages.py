"""Pages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.pages import Image, NewPage, Page, PageState, digest_key
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import page

_page = page.c


def page_of(row: Any) -> Page:  # noqa: ANN401 - a row of page
    """Return the page of a row, without its transcription."""
    key = row.object_key or digest_key(row.sha256)
    image = Image(
        row.width,
        row.height,
        row.media_type,
        row.sha256,
        row.size_bytes,
        key,
        normalised=tuple(row.normalised),
        warnings=tuple(row.warnings),
    )
    return Page(row.id, row.project_id, image, row.layout, row.state, row.created_at, row.fixed_rotation)


async def find_page(
    transaction: Transaction, user_id: UUID, page_id: UUID, project_id: UUID, *, lock: bool = False
) -> Page | None:
    """Return a page of the user's project; `lock` blocks other writers of the page."""
    query = page.select().where(_page.id == page_id, _page.user_id == user_id, _page.project_id == project_id)
    if lock:
        query = query.with_for_update()
    row = (await transaction.execute(query)).first()
    return None if row is None else page_of(row)


async def lock_page(transaction: Transaction, user_id: UUID, page_id: UUID) -> Page | None:
    """Return a page of the user and block its other writers."""
    query = page.select().where(_page.id == page_id, _page.user_id == user_id).with_for_update()
    row = (await transaction.execute(query)).first()
    return None if row is None else page_of(row)


async def set_warnings(
    transaction: Transaction, user_id: UUID, page_id: UUID, warnings: Sequence[str]
) -> None:
    """Set the warnings of the image of a page that `lock_page` has locked."""
    query = page.update().where(_page.id == page_id, _page.user_id == user_id)
    await transaction.execute(query.values(warnings=list(warnings)))


async def replace_image(transaction: Transaction, user_id: UUID, page_id: UUID, image: Image) -> Page:
    """Set another image of a page that `lock_page` has locked."""
    query = (
        page.update()
        .where(_page.id == page_id, _page.user_id == user_id)
        .values(**_image_values(image))
        .returning(page)
    )
    return page_of((await transaction.execute(query)).one())


def _image_values(image: Image) -> dict[str, Any]:
    """Return the column values of an image. `page_of` is the inverse."""
    return {
        "sha256": image.sha256,
        "size_bytes": image.size_bytes,
        "object_key": image.key,
        "media_type": image.media_type,
        "width": image.width,
        "height": image.height,
        "normalised": list(image.normalised),
        "warnings": list(image.warnings),
    }


async def list_pages(
    transaction: Transaction,
    user_id: UUID,
    project_id: UUID,
    after: ListPosition[UUID] | None,
    limit: int,
) -> list[Page]:
    """Return a project's pages, oldest first, without their transcriptions."""
    query = page.select().where(_page.project_id == project_id, _page.user_id == user_id)
    if after is not None:
        query = query.where(sa.tuple_(_page.created_at, _page.id) > after)
    query = query.order_by(_page.created_at, _page.id).limit(limit)
    return [page_of(row) for row in await transaction.execute(query)]


async def find_requested_page(transaction: Transaction, user_id: UUID, request: RequestKey) -> Page | None:
    """Return the page that the same request has stored. Conflict: a different request had the same key."""
    if not request.request_id:
        return None
    query = page.select().where(_page.user_id == user_id, _page.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    check_same_request(row, request)
    return page_of(row)


async def insert_page(
    transaction: Transaction, user_id: UUID, page_id: UUID, project_id: UUID, new: NewPage
) -> Page | None:
    """Insert a page; None when the same request has inserted one concurrently."""
    values = {
        **_image_values(new.image),
        "id": page_id,
        "user_id": user_id,
        "project_id": project_id,
        "fixed_rotation": new.fixed_rotation,
        "layout": new.layout,
        "state": PageState.STORED,
        "request_id": new.request.request_id or None,
        "request_sha256": new.request.sha256 or None,
    }
    query = pg.insert(page).values(**values).on_conflict_do_nothing().returning(page)
    row = (await transaction.execute(query)).first()
    return None if row is None else page_of(row)
