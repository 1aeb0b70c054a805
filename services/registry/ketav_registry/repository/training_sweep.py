"""Queries over the runs of all users: abandoned ones that return to the queue, queued and unfinished ones."""

from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.training import ACTIVE_STATES, LEASED_STATES, MAX_ATTEMPTS, RunState
from ketav_registry.repository.training import CANCELLED, NEXT_REVISION, TOO_MANY_ATTEMPTS
from ketav_registry.tables import training_run

_run = training_run.c


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
    """Return the queued runs, oldest first; those from a new base are last."""
    order = (_run.new_base.is_not(None), _run.created_at)
    query = sa.select(_run.id).where(_run.state == RunState.QUEUED).order_by(*order)
    return list(await transaction.scalars(query))


async def count_unfinished(transaction: Transaction) -> int:
    """Count the runs that wait for a worker or that a worker holds."""
    query = sa.select(sa.func.count()).where(_run.state.in_(ACTIVE_STATES))
    return int(await transaction.scalar(query) or 0)
