"""Last and past runs of users, and the users who may be due for a run."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import ACTIVE_STATES, LastRun, RunState
from ketav_registry.domain.training_policy import warrants_run
from ketav_registry.domain.training_readiness import PastRun
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of, is_same
from ketav_registry.tables import (
    account,
    dataset,
    feedback,
    hand,
    model_version,
    project,
    training_policy,
    training_run,
)

_dataset, _run = dataset.c, training_run.c
_MAX_PAST_RUNS = 20
"""Past runs that an estimate uses: the latest ones, so that the query is bounded."""
_COMMIT_DELAY = timedelta(minutes=1)
"""Time within which a feedback is committed after its `created_at`: a run that started in between has missed
it."""


async def database_time(transaction: Transaction) -> datetime:
    """Return the time of the database's clock."""
    time: datetime = (await transaction.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return time


async def last_runs(transaction: Transaction, user_id: UUID) -> dict[Hand, LastRun]:
    """Return the last run of each hand of the user."""
    query = (
        sa.select(
            _run.script,
            _run.hand_id,
            HAND_NAME,
            _verified_lines().label("lines"),
            (sa.func.clock_timestamp() - _run.created_at).label("age"),
        )
        .join(dataset, _dataset.id == _run.dataset_id)
        .outerjoin(hand, hand.c.id == _run.hand_id)
        .where(_run.user_id == user_id)
        .order_by(_run.script, _run.hand_id, _run.created_at.desc())
        .ext(pg.distinct_on(_run.script, _run.hand_id))
    )
    return {hand_of(row): LastRun(row.lines, row.age) for row in await transaction.execute(query)}


async def past_runs(transaction: Transaction, user_id: UUID, trained: Hand) -> list[PastRun]:
    """Return the latest runs of a user's hand that have a verdict and both CERs, oldest first."""
    query = (
        sa.select(
            _run.state,
            _dataset.training_lines,
            _run.cer_base,
            _run.cer_candidate,
            model_version.c.version,
            sa.func.coalesce(_run.serving_version, _run.parent_version).label("parent_version"),
        )
        .join(dataset, _dataset.id == _run.dataset_id)
        .outerjoin(model_version, model_version.c.run_id == _run.id)
        .where(_run.user_id == user_id, _run.script == trained.script, is_same(_run.hand_id, trained.hand_id))
        .where(_run.state.in_((RunState.SUCCEEDED, RunState.REJECTED)))
        .where(_run.cer_base.is_not(None), _run.cer_candidate.is_not(None))
        .order_by(_run.created_at.desc())
        .limit(_MAX_PAST_RUNS)
    )
    rows = list(await transaction.execute(query))
    return [PastRun(*row) for row in reversed(rows)]


async def users_possibly_due(transaction: Transaction) -> list[UUID]:
    """Return the users who may be due for a run, in random order.

    These have no active run, their account is enabled, automatic training is on, and since the last run of a
    hand they have submitted corrections, given a project to the hand, or deleted lines of the run. The number
    of all submitted lines, which is never lower than that of the verified ones, must warrant a run.
    `feedback.ground_truth_lines` would not do instead: it misses lines that were stored on other pages
    concurrently.
    """
    same_hand = sa.and_(
        _run.user_id == feedback.c.user_id,
        _run.script == project.c.script,
        is_same(_run.hand_id, project.c.hand_id),
    )
    last_run = sa.select(_run.created_at).join(dataset, _dataset.id == _run.dataset_id).where(same_hand)
    last_run = last_run.order_by(_run.created_at.desc()).limit(1)
    last_lines = last_run.with_only_columns(_verified_lines()).scalar_subquery()
    age = last_run.with_only_columns(sa.func.clock_timestamp() - _run.created_at).scalar_subquery()
    last_start = sa.select(sa.func.max(_run.created_at) - _COMMIT_DELAY).where(same_hand).scalar_subquery()
    active = sa.exists().where(_run.user_id == feedback.c.user_id, _run.state.in_(ACTIVE_STATES))
    disabled = sa.exists().where(account.c.id == feedback.c.user_id, account.c.disabled_at.is_not(None))
    off = sa.exists().where(training_policy.c.user_id == feedback.c.user_id, ~training_policy.c.automatic)
    query = (
        sa.select(feedback.c.user_id, sa.func.sum(feedback.c.accepted_lines).label("submitted_lines"))
        .add_columns(last_lines.label("last_lines"), age.label("age"))
        .join(project, project.c.id == feedback.c.project_id)
        .where(~active, ~off, ~disabled)
        .group_by(feedback.c.user_id, project.c.script, project.c.hand_id)
        .having(
            sa.or_(
                sa.func.max(sa.func.greatest(feedback.c.created_at, project.c.hand_changed_at))
                > sa.func.coalesce(last_start, sa.text("'-infinity'")),
                _is_last_run_tainted(feedback.c.user_id, project.c.script, project.c.hand_id),
            )
        )
        .order_by(sa.func.random())
    )
    users = []
    for row in await transaction.execute(query):
        last = None if row.last_lines is None else LastRun(row.last_lines, row.age)
        if warrants_run(row.submitted_lines, last):
            users.append(row.user_id)
    return list(dict.fromkeys(users))


def _verified_lines() -> sa.ColumnElement[int]:
    """Return the number of lines of a run (joined with its dataset); 0 when the run is tainted."""
    return sa.case((_is_tainted(), 0), else_=_dataset.training_lines + _dataset.holdout_lines)


def _is_tainted() -> sa.ColumnElement[bool]:
    """Return whether a run (joined with its dataset) or its parent used lines that were deleted since."""
    parent = model_version.alias("parent")
    tainted_parent = sa.exists().where(
        parent.c.version == _run.parent_version, parent.c.state == ModelState.TAINTED
    )
    return sa.or_(_dataset.tainted, tainted_parent)


def _is_last_run_tainted(
    user_id: sa.ColumnElement[UUID], script: sa.ColumnElement[Script], hand_id: sa.ColumnElement[UUID]
) -> sa.ColumnElement[bool]:
    """Return whether the last run of a user's hand is tainted."""
    later = training_run.alias()
    has_later_run = sa.exists().where(
        later.c.user_id == user_id,
        later.c.script == script,
        is_same(later.c.hand_id, hand_id),
        later.c.created_at > _run.created_at,
    )
    same_hand = sa.and_(_run.script == script, is_same(_run.hand_id, hand_id))
    is_last = sa.and_(_run.user_id == user_id, same_hand, ~has_later_run)
    return sa.exists().where(is_last, _dataset.id == _run.dataset_id, _is_tainted())
