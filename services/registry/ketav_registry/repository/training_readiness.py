"""Queries about the last runs of users and about users who may be due."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, Script
from ketav_registry.domain.training import ACTIVE, RunState
from ketav_registry.domain.training_policy import wants_run
from ketav_registry.domain.training_readiness import PastRun
from ketav_registry.tables import dataset, feedback, model_version, project, training_policy, training_run

_d, _r = dataset.c, training_run.c
_PAST_RUNS = 20


async def now(transaction: Transaction) -> datetime:
    """Return the time by the database's clock."""
    found: datetime = (await transaction.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return found


async def past_runs(transaction: Transaction, user_id: UUID, script: Script) -> list[PastRun]:
    """Return the user's latest runs of a script that came to a verdict with both CERs, oldest first."""
    query = (
        sa.select(
            _r.state,
            dataset.c.training_lines,
            _r.cer_base,
            _r.cer_candidate,
            model_version.c.version,
            _r.parent_version,
        )
        .join(dataset, dataset.c.id == _r.dataset_id)
        .outerjoin(model_version, model_version.c.run_id == _r.id)
        .where(_r.user_id == user_id, _r.script == script)
        .where(_r.state.in_((RunState.SUCCEEDED, RunState.REJECTED)))
        .where(_r.cer_base.is_not(None), _r.cer_candidate.is_not(None))
        .order_by(_r.created_at.desc())
        .limit(_PAST_RUNS)
    )
    rows = list(await transaction.execute(query))
    return [PastRun(*row) for row in reversed(rows)]


async def tried(transaction: Transaction, user_id: UUID) -> dict[Script, tuple[int, timedelta]]:
    """Return how many lines the user's last run of each script had, and how old that run is.

    A run has tried nothing when lines it had, or lines its parent had learnt from, were deleted since.
    """
    query = (
        sa.select(
            _r.script, _lines().label("lines"), (sa.func.clock_timestamp() - _r.created_at).label("age")
        )
        .join(dataset, _d.id == _r.dataset_id)
        .where(_r.user_id == user_id)
        .order_by(_r.script, _r.created_at.desc())
        .ext(pg.distinct_on(_r.script))
    )
    return {row.script: (row.lines, row.age) for row in await transaction.execute(query)}


async def users_with_news(transaction: Transaction) -> list[UUID]:
    """Return the users who may be due, in random order.

    They have no active run, and news of a script since its last run; all lines they ever sent, never fewer
    than the verified ones, would be enough. A feedback's count of ground truth would not do: it does not
    know of what was stored on other pages at the same moment.
    """
    mine = sa.and_(_r.user_id == feedback.c.user_id, _r.script == project.c.script)
    latest = sa.select(_r.created_at).join(dataset, _d.id == _r.dataset_id).where(mine)
    latest = latest.order_by(_r.created_at.desc()).limit(1)
    lines = latest.with_only_columns(_lines()).scalar_subquery()
    age = latest.with_only_columns(sa.func.clock_timestamp() - _r.created_at).scalar_subquery()
    last = sa.select(sa.func.max(_r.created_at) - timedelta(minutes=1)).where(mine).scalar_subquery()
    active = sa.exists().where(_r.user_id == feedback.c.user_id, _r.state.in_(ACTIVE))
    off = sa.exists().where(training_policy.c.user_id == feedback.c.user_id, ~training_policy.c.automatic)
    query = (
        sa.select(feedback.c.user_id, sa.func.sum(feedback.c.accepted_lines).label("sent"))
        .add_columns(lines.label("tried"), age.label("age"))
        .join(project, project.c.id == feedback.c.project_id)
        .where(~active, ~off)
        .group_by(feedback.c.user_id, project.c.script)
        .having(
            sa.or_(
                sa.func.max(feedback.c.created_at) > sa.func.coalesce(last, sa.text("'-infinity'")),
                _spoilt(feedback.c.user_id, project.c.script),
            )
        )
        .order_by(sa.func.random())
    )
    rows = await transaction.execute(query)
    asking = [
        row.user_id
        for row in rows
        if wants_run(row.sent, None if row.tried is None else (row.tried, row.age))
    ]
    return list(dict.fromkeys(asking))


def _lines() -> sa.ColumnElement[int]:
    """Return how many lines a run (joined with its dataset) has tried; none when it is worth nothing now."""
    return sa.case((_void(), 0), else_=_d.training_lines + _d.holdout_lines)


def _void() -> sa.ColumnElement[bool]:
    """Say whether what a run (joined with its dataset) has learnt or would learn rests on deleted lines."""
    parent = model_version.alias("parent")
    spoilt = sa.exists().where(parent.c.version == _r.parent_version, parent.c.state == ModelState.TAINTED)
    return sa.or_(_d.tainted, spoilt)


def _spoilt(user_id: sa.ColumnElement[UUID], script: sa.ColumnElement[Script]) -> sa.ColumnElement[bool]:
    """Say whether a user's last run of a script is worth nothing any more."""
    later = training_run.alias()
    newer = sa.exists().where(
        later.c.user_id == user_id, later.c.script == script, later.c.created_at > _r.created_at
    )
    mine = sa.and_(_r.user_id == user_id, _r.script == script, ~newer)
    return sa.exists().where(mine, _d.id == _r.dataset_id, _void())
