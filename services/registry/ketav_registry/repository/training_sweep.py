"""Queries over the runs of all users: abandoned ones that return to the queue, queued and unfinished ones."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.training import ACTIVE_STATES, LEASED_STATES, MAX_ATTEMPTS, FencedRun, RunState
from ketav_registry.repository.training import CANCELLED, NEXT_REVISION, TOO_MANY_ATTEMPTS
from ketav_registry.tables import training_run

_run = training_run.c
INTERRUPTED_WAIT: Final = timedelta(seconds=5)
"""Time that an interrupted run waits for a free worker before another run yields to it."""


async def expire(transaction: Transaction) -> list[UUID]:
    """Return runs with an expired lease to the queue; end those cancelled or without attempts left.

    Returns the ids of these runs.
    """
    exhausted = _run.attempts >= MAX_ATTEMPTS
    query = (
        training_run.update()
        .where(_run.state.in_(LEASED_STATES), _run.lease_until < sa.func.clock_timestamp())
        .values(
            state=sa.case(
                (_run.cancel_requested, RunState.CANCELLED),
                (exhausted, RunState.FAILED),
                else_=sa.literal(RunState.QUEUED, _run.state.type),
            ),
            verdict=sa.case(
                (_run.cancel_requested, CANCELLED), (exhausted, TOO_MANY_ATTEMPTS), else_=_run.verdict
            ),
            lease_until=None,
            **NEXT_REVISION,
        )
        .returning(_run.id)
    )
    return list(await transaction.scalars(query))


async def queued_runs(transaction: Transaction) -> list[UUID]:
    """Return the queued runs: first those that were interrupted, then the others, each oldest first.

    Of the others, those from a new base are last.
    """
    interrupted = _run.attempts > 0
    since = sa.case((interrupted, _run.updated_at), else_=_run.created_at)
    order = (~interrupted, sa.and_(~interrupted, _run.new_base.is_not(None)), since)
    query = sa.select(_run.id).where(_run.state == RunState.QUEUED).order_by(*order)
    return list(await transaction.scalars(query))


async def should_yield(transaction: Transaction, claimed: FencedRun) -> bool:
    """Return whether a run must go back to the queue, because one that was interrupted waits for a worker.

    It is the newest run that trains in its first attempt: one run yields at a time, and each of them once.
    """
    since = sa.func.clock_timestamp() - INTERRUPTED_WAIT
    waits = sa.exists().where(
        _run.state == RunState.QUEUED, _run.attempts > 0, ~_run.cancel_requested, _run.updated_at < since
    )
    first_attempt = sa.and_(_run.state == RunState.RUNNING, _run.attempts == 1)
    newest = (
        sa.select(_run.id)
        .where(first_attempt, waits)
        .order_by(_run.created_at.desc(), _run.id.desc())
        .limit(1)
    )
    return await transaction.scalar(newest) == claimed.run_id


async def count_unfinished(transaction: Transaction) -> int:
    """Count the runs that wait for a worker or that a worker holds."""
    query = sa.select(sa.func.count()).where(_run.state.in_(ACTIVE_STATES))
    return int(await transaction.scalar(query) or 0)
