"""The sweep: returns abandoned runs to the queue, and queues runs of the users who are due."""

import asyncio
from contextlib import suppress
from uuid import UUID

from ketav_common.errors import Conflict, KetavError
from ketav_common.logging import get_logger
from ketav_registry import metrics
from ketav_registry.database import UniqueConflictError
from ketav_registry.domain.training_policy import is_due
from ketav_registry.repository import ground_truth, training_policy, training_readiness, training_sweep
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import NewRun, count_end, queue_run, require_run
from ketav_registry.usecases.training_new_base import queue_from_new_base

log = get_logger()

_QUEUEING_S = 5.0
"""Seconds for queueing runs of due users: half of the deadline of the call, so that a response is left."""


async def sweep_training_runs(*, stores: Stores, queueing_s: float = _QUEUEING_S) -> list[UUID]:
    """Return abandoned runs to the queue, queue runs of users who are due, and return all queued runs.

    Queueing stops after `queueing_s` seconds, so that the response arrives before the caller's deadline; a
    later sweep continues with the users who were left out.
    """
    async with stores.database.system() as transaction:
        expired = [
            await require_run(transaction, run_id) for run_id in await training_sweep.expire(transaction)
        ]
    metrics.LEASE_EXPIRIES.inc(len(expired))
    for run in expired:
        log.warning("lease_expired", run_id=str(run.run_id), state=run.state, attempts=run.attempts)
        count_end(run)
    await _queue_due_runs(stores, queueing_s)
    async with stores.database.system() as transaction:
        return await training_sweep.queued_runs(transaction)


async def _queue_due_runs(stores: Stores, timeout_s: float) -> None:
    """Queue runs of the users who are due, in random order, until the timeout; then one from a new base."""
    users: list[UUID] = []
    try:
        async with asyncio.timeout(timeout_s):
            async with stores.database.system() as transaction:
                users = await training_readiness.users_possibly_due(transaction)
            while users:
                user_id = users.pop()
                try:
                    await _queue_if_due(user_id, stores)
                except KetavError as error:  # an error of one user must not block the others
                    log.warning("due_run_not_queued", due_user=str(user_id), code=error.code)
            await queue_from_new_base(stores)
    except TimeoutError:
        log.warning("queueing_timed_out", users_left=len(users))


async def _queue_if_due(user_id: UUID, stores: Stores) -> None:
    """Queue a run of the user's hand that is due; of several, the one with most verified lines."""
    async with stores.database.user(user_id) as transaction:
        counts = await ground_truth.count_verified(transaction, user_id)
        last_runs = await training_readiness.last_runs(transaction, user_id)
        policy = await training_policy.find_policy(transaction, user_id)
    since_last_run = min((run.age for run in last_runs.values()), default=None)
    due = [
        hand for hand, lines in counts.items() if is_due(lines, last_runs.get(hand), policy, since_last_run)
    ]
    if due:
        # A run that was started between the two transactions is as good.
        with suppress(Conflict, UniqueConflictError):
            await queue_run(user_id, NewRun(hand=max(due, key=lambda hand: counts[hand])), stores)
