"""Deleting pages and accounts, and what models and trainings owe to it.

All of it runs in a transaction that is alone for its user, so that nothing is made of what is being deleted.
"""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.erasure import ErasedKind, Erasure
from ketav_registry.domain.models import ModelState, Script, user_model_key
from ketav_registry.domain.pages import digest_key
from ketav_registry.domain.training import ACTIVE, RunState
from ketav_registry.repository.training import CHANGED
from ketav_registry.tables import (
    account,
    active_model,
    correction,
    dataset,
    dataset_line,
    erasure,
    line,
    model_version,
    object_removal,
    page,
    project,
    training_run,
    transcription,
)

_d, _dl, _m, _pa, _r = dataset.c, dataset_line.c, model_version.c, page.c, training_run.c
_CANCELLED = "Cancelled because lines it was training on were deleted."
_PAGES_A_STATEMENT = 200

Which = sa.ColumnElement[bool]


def pages_of(user_id: UUID, project_id: UUID | None = None, page_id: UUID | None = None) -> Which:
    """Say which pages are meant: one page, a project's, or all of the user's."""
    named = [(_pa.project_id, project_id), (_pa.id, page_id)]
    return sa.and_(_pa.user_id == user_id, *(column == value for column, value in named if value))


async def count(transaction: Transaction, which: Which) -> Erasure:
    """Count what hangs on the pages."""
    ids = sa.select(_pa.id).where(which)
    lines = sa.select(line.c.id).join(transcription).where(transcription.c.page_id.in_(ids))
    corrections = sa.select(correction.c.id).where(correction.c.page_id.in_(ids))
    counted = [sa.func.count().select().select_from(rows.subquery()) for rows in (ids, lines, corrections)]
    row = (await transaction.execute(sa.select(*(each.scalar_subquery() for each in counted)))).one()
    return Erasure(*row)


async def taint(transaction: Transaction, user_id: UUID, which: Which) -> list[str]:
    """Mark the datasets that hold a line of the pages, and every version that learnt from them.

    A version learnt from a dataset when its run trained on it, or when it was fine-tuned from one that had.
    Returns the versions that were not tainted before.
    """
    touched = sa.select(_dl.dataset_id).where(
        _dl.user_id == user_id, _dl.page_id.in_(sa.select(_pa.id).where(which))
    )
    await transaction.execute(dataset.update().where(_d.id.in_(touched)).values(tainted=True))
    learnt = (
        sa.select(_m.version)
        .join(training_run, _r.id == _m.run_id)
        .join(dataset, _d.id == _r.dataset_id)
        .where(_m.user_id == user_id, _d.tainted)
        .cte("learnt", recursive=True)
    )
    child = model_version.alias()
    learnt = learnt.union(sa.select(child.c.version).join(learnt, child.c.parent_version == learnt.c.version))
    query = (
        model_version.update()
        .where(_m.version.in_(sa.select(learnt.c.version)), _m.state != ModelState.TAINTED)
        .values(state=ModelState.TAINTED)
        .returning(_m.version)
    )
    return sorted(await transaction.scalars(query))


async def cancel_tainted_run(transaction: Transaction, user_id: UUID) -> UUID | None:
    """End the user's active run when its dataset or the model it starts from is tainted.

    The run has ended at once: its worker's fence holds nothing any more, its model cannot be published.
    """
    tainted = sa.select(_m.version).where(_m.user_id == user_id, _m.state == ModelState.TAINTED)
    spoilt = sa.or_(
        _r.dataset_id.in_(sa.select(_d.id).where(_d.user_id == user_id, _d.tainted)),
        _r.parent_version.in_(tainted),
    )
    query = (
        training_run.update()
        .where(_r.user_id == user_id, _r.state.in_(ACTIVE), spoilt)
        .values(
            state=RunState.CANCELLED, cancel_requested=True, verdict=_CANCELLED, lease_until=None, **CHANGED
        )
        .returning(_r.id)
    )
    ended: UUID | None = (await transaction.execute(query)).scalar()
    return ended


async def lost_models(transaction: Transaction, user_id: UUID) -> dict[Script, str | None]:
    """Return the scripts whose active version is tainted, with its nearest ancestor that is not.

    None as the ancestor: there is none but the base.
    """
    active = (
        sa.select(active_model.c.script, _m.parent_version.label("version"), sa.literal(1).label("steps"))
        .join(model_version, _m.version == active_model.c.version)
        .where(active_model.c.user_id == user_id, _m.state == ModelState.TAINTED)
        .cte("ancestor", recursive=True)
    )
    older = model_version.alias()
    ancestors = active.union_all(
        sa.select(active.c.script, older.c.parent_version, active.c.steps + 1).join(
            older, older.c.version == active.c.version
        )
    )
    own = sa.and_(_m.version == ancestors.c.version, _m.user_id == user_id, _m.state == ModelState.AVAILABLE)
    query = (
        sa.select(ancestors.c.script, _m.version)
        .select_from(ancestors.outerjoin(model_version, own))
        .order_by(ancestors.c.script, _m.version.is_(None), ancestors.c.steps)
        .ext(pg.distinct_on(ancestors.c.script))
    )
    return {row.script: row.version for row in await transaction.execute(query)}


async def queue_object(transaction: Transaction, user_id: UUID, key: str) -> None:
    """Note an object for removal: it goes after the commit, unless a row still names it."""
    await _queue(transaction, [{"user_id": user_id, "object_key": key}])


async def queue_images(transaction: Transaction, user_id: UUID, which: Which) -> None:
    """Note the images of pages for removal."""
    rows = await transaction.execute(sa.select(_pa.object_key, _pa.sha256).where(which))
    keys = {row.object_key or digest_key(row.sha256) for row in rows}
    await _queue(transaction, [{"user_id": user_id, "object_key": key} for key in sorted(keys)])


async def queue_models(transaction: Transaction, user_id: UUID, versions: list[str] | None = None) -> None:
    """Note the files of versions for removal; None: of all the user's versions."""
    if versions is None:
        versions = list(await transaction.scalars(sa.select(_m.version).where(_m.user_id == user_id)))
    keys = [user_model_key(user_id, version) for version in versions]
    await _queue(transaction, [{"user_id": user_id, "object_key": key} for key in keys])


async def _queue(transaction: Transaction, rows: list[dict[str, Any]]) -> None:
    """Note objects for removal, each once."""
    if rows:
        await transaction.execute(pg.insert(object_removal).on_conflict_do_nothing(), rows)


async def delete_pages(transaction: Transaction, which: Which) -> None:
    """Delete pages with all that hangs on them, in statements of bounded length."""
    some = sa.select(_pa.id).where(which).limit(_PAGES_A_STATEMENT).scalar_subquery()
    while (await transaction.execute(page.delete().where(_pa.id.in_(some)))).rowcount:
        pass


async def delete_project(transaction: Transaction, user_id: UUID, project_id: UUID) -> None:
    """Delete a project without pages."""
    await transaction.execute(
        project.delete().where(project.c.id == project_id, project.c.user_id == user_id)
    )


async def delete_account(transaction: Transaction, user_id: UUID) -> bool:
    """Delete a user with all rows that are theirs; False: there is no such user."""
    return bool((await transaction.execute(account.delete().where(account.c.id == user_id))).rowcount)


async def record(transaction: Transaction, user_id: UUID, kind: ErasedKind, done: Erasure) -> None:
    """Keep that a deletion was made: its kind, its time and how much it was, nothing else."""
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "kind": kind,
        "pages": done.pages,
        "lines": done.lines,
        "corrections": done.corrections,
        "tainted_versions": len(done.tainted),
    }
    await transaction.execute(erasure.insert().values(**values))
