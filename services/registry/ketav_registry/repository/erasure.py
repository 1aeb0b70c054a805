"""Deletion of pages and accounts, and its consequences for models and training runs.

All functions need a transaction that is exclusive for its user: while one is open, no other transaction reads
the rows that are being deleted.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.erasure import Erasure, ErasureKind
from ketav_registry.domain.ground_truth import Split
from ketav_registry.domain.models import ModelState, user_model_key
from ketav_registry.domain.pages import digest_key
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import ACTIVE_STATES, RunState
from ketav_registry.domain.transcriptions import LineKey
from ketav_registry.repository.object_removal import enqueue
from ketav_registry.repository.projects_hands import is_same
from ketav_registry.repository.training import NEXT_REVISION
from ketav_registry.tables import (
    account,
    active_hand_model,
    active_model,
    correction,
    dataset,
    dataset_line,
    erasure,
    hand,
    line,
    model_version,
    page,
    project,
    training_run,
    transcription,
)

_active, _dataset, _dataset_line = active_model.c, dataset.c, dataset_line.c
_version, _page, _run = model_version.c, page.c, training_run.c
_CANCELLED = "The training run was cancelled because lines that it uses were deleted or withdrawn."
_PAGES_PER_STATEMENT = 200
"""Pages that one statement deletes, so that it ends within the statement timeout."""

PageFilter = sa.ColumnElement[bool]
"""Condition on the table `page` that selects the pages to delete."""
LineFilter = sa.ColumnElement[bool]
"""Condition on the table `dataset_line` that selects the lines whose trainings are tainted."""


def pages_of(user_id: UUID, project_id: UUID | None = None, page_id: UUID | None = None) -> PageFilter:
    """Return the condition for one page, for the pages of a project, or for all pages of the user."""
    conditions = [_page.user_id == user_id]
    if project_id is not None:
        conditions.append(_page.project_id == project_id)
    if page_id is not None:
        conditions.append(_page.id == page_id)
    return sa.and_(*conditions)


async def count(transaction: Transaction, pages: PageFilter) -> Erasure:
    """Count the pages with their lines and corrections."""
    ids = sa.select(_page.id).where(pages)
    lines = sa.select(line.c.id).join(transcription).where(transcription.c.page_id.in_(ids))
    corrections = sa.select(correction.c.id).where(correction.c.page_id.in_(ids))
    counts = [
        sa.func.count().select().select_from(rows.subquery()).scalar_subquery()
        for rows in (ids, lines, corrections)
    ]
    row = (await transaction.execute(sa.select(*counts))).one()
    return Erasure(pages=row[0], lines=row[1], corrections=row[2])


def trained_lines(user_id: UUID, pages: PageFilter) -> LineFilter:
    """Return the condition on `dataset_line` for the lines of pages, held out or not.

    Deleted lines that were held out have decided whether the model serves, so it counts as made from them.
    """
    on_pages = _dataset_line.page_id.in_(sa.select(_page.id).where(pages))
    return sa.and_(_dataset_line.user_id == user_id, on_pages)


def trained_line(user_id: UUID, key: LineKey) -> LineFilter:
    """Return the condition on `dataset_line` for one line in all datasets that it trains.

    Where it only measured, the model has learnt nothing from it.
    """
    trained = sa.select(_dataset.id).where(_dataset.id == _dataset_line.dataset_id, _dataset.completed)
    return sa.and_(
        _dataset_line.user_id == user_id,
        _dataset_line.page_id == key.page_id,
        _dataset_line.geometry_sha256 == key.geometry_sha256,
        sa.or_(_dataset_line.split == Split.TRAIN, trained.exists()),
    )


def deleted_lines(user_id: UUID, page_id: UUID, digests: Sequence[bytes]) -> LineFilter:
    """Return the condition on `dataset_line` for lines of a page that are deleted, held out or not."""
    return sa.and_(
        _dataset_line.user_id == user_id,
        _dataset_line.page_id == page_id,
        _dataset_line.geometry_sha256.in_(digests),
    )


async def taint(transaction: Transaction, user_id: UUID, lines: LineFilter) -> list[str]:
    """Taint the datasets with one of the lines, and every version that was trained on them.

    These are the versions whose run used such a dataset, and all versions that were fine-tuned from them.
    Returns the versions that were not tainted before.
    """
    datasets = sa.select(_dataset_line.dataset_id).where(lines)
    await transaction.execute(dataset.update().where(_dataset.id.in_(datasets)).values(tainted=True))
    trained = (
        sa.select(_version.version)
        .join(training_run, _run.id == _version.run_id)
        .join(dataset, _dataset.id == _run.dataset_id)
        .where(_version.user_id == user_id, _dataset.tainted)
        .cte("trained", recursive=True)
    )
    child = model_version.alias()
    trained = trained.union(
        sa.select(child.c.version).join(trained, child.c.parent_version == trained.c.version)
    )
    query = (
        model_version.update()
        .where(_version.version.in_(sa.select(trained.c.version)), _version.state != ModelState.TAINTED)
        .values(state=ModelState.TAINTED)
        .returning(_version.version)
    )
    return sorted(await transaction.scalars(query))


async def cancel_tainted_run(transaction: Transaction, user_id: UUID) -> UUID | None:
    """Cancel the user's active run if its dataset or its parent is tainted; return its id.

    The run ends at once: the fence of its worker becomes stale, so its model cannot be published.
    """
    tainted_versions = sa.select(_version.version).where(
        _version.user_id == user_id, _version.state == ModelState.TAINTED
    )
    tainted_datasets = sa.select(_dataset.id).where(_dataset.user_id == user_id, _dataset.tainted)
    is_tainted = sa.or_(_run.dataset_id.in_(tainted_datasets), _run.parent_version.in_(tainted_versions))
    query = (
        training_run.update()
        .where(_run.user_id == user_id, _run.state.in_(ACTIVE_STATES), is_tainted)
        .values(
            state=RunState.CANCELLED,
            cancel_requested=True,
            verdict=_CANCELLED,
            lease_until=None,
            **NEXT_REVISION,
        )
        .returning(_run.id)
    )
    run_id: UUID | None = (await transaction.execute(query)).scalar()
    return run_id


def _active_versions(user_id: UUID) -> sa.Subquery:
    """Return a subquery for the active version of each hand of a user, their own hands included."""
    own = sa.select(_active.script, sa.null().cast(sa.Uuid).label("hand_id"), _active.version)
    active = active_hand_model.c
    others = sa.select(hand.c.script, hand.c.id, active.version).join(hand, hand.c.id == active.hand_id)
    return sa.union_all(
        own.where(_active.user_id == user_id), others.where(active.user_id == user_id)
    ).subquery("active")


async def fallback_versions(transaction: Transaction, user_id: UUID) -> dict[Hand, str | None]:
    """Return, for each hand whose active version never serves, the nearest ancestor of the hand that can.

    None: no ancestor but the base can serve.
    """
    active = _active_versions(user_id)
    parents = (
        sa.select(
            active.c.script,
            active.c.hand_id,
            _version.parent_version.label("version"),
            sa.literal(1).label("steps"),
        )
        .join(model_version, _version.version == active.c.version)
        .where(_version.state != ModelState.AVAILABLE)
        .cte("ancestor", recursive=True)
    )
    older = model_version.alias()
    ancestors = parents.union_all(
        sa.select(parents.c.script, parents.c.hand_id, older.c.parent_version, parents.c.steps + 1).join(
            older, older.c.version == parents.c.version
        )
    )
    can_serve = sa.and_(
        _version.version == ancestors.c.version,
        _version.user_id == user_id,
        is_same(_version.hand_id, ancestors.c.hand_id),
        _version.state == ModelState.AVAILABLE,
    )
    query = (
        sa.select(ancestors.c.script, ancestors.c.hand_id, _version.version)
        .select_from(ancestors.outerjoin(model_version, can_serve))
        .order_by(ancestors.c.script, ancestors.c.hand_id, _version.version.is_(None), ancestors.c.steps)
        .ext(pg.distinct_on(ancestors.c.script, ancestors.c.hand_id))
    )
    return {Hand(row.script, row.hand_id): row.version for row in await transaction.execute(query)}


async def queue_images(transaction: Transaction, user_id: UUID, pages: PageFilter) -> None:
    """Queue the images of pages for removal."""
    rows = await transaction.execute(sa.select(_page.object_key, _page.sha256).where(pages))
    keys = {row.object_key or digest_key(row.sha256) for row in rows}
    await enqueue(transaction, user_id, sorted(keys))


async def queue_models(transaction: Transaction, user_id: UUID, versions: list[str]) -> None:
    """Queue the files of versions for removal."""
    await enqueue(transaction, user_id, [user_model_key(user_id, version) for version in versions])


async def list_versions(transaction: Transaction, user_id: UUID) -> list[str]:
    """Return all versions of the user."""
    return list(await transaction.scalars(sa.select(_version.version).where(_version.user_id == user_id)))


async def delete_pages(transaction: Transaction, pages: PageFilter) -> None:
    """Delete pages with their transcriptions and corrections, in statements of bounded length."""
    some = sa.select(_page.id).where(pages).limit(_PAGES_PER_STATEMENT).scalar_subquery()
    while (await transaction.execute(page.delete().where(_page.id.in_(some)))).rowcount:
        pass


async def delete_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> None:
    """Delete a project whose pages are deleted."""
    await transaction.execute(
        project.delete().where(project.c.id == project_id, project.c.user_id == user_id)
    )


async def delete_account(transaction: Transaction, user_id: UUID) -> bool:
    """Delete a user with all their rows; False when there is no such user."""
    return bool((await transaction.execute(account.delete().where(account.c.id == user_id))).rowcount)


async def record(transaction: Transaction, user_id: UUID, kind: ErasureKind, done: Erasure) -> None:
    """Insert the record of a deletion: its kind, its time and the number of deleted rows."""
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "kind": kind,
        "pages": done.pages,
        "lines": done.lines,
        "corrections": done.corrections,
        "tainted_versions": len(done.tainted_versions),
    }
    await transaction.execute(erasure.insert().values(**values))
