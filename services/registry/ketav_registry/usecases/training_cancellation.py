"""Cancellation of training runs."""

from uuid import UUID

from ketav_common.errors import Precondition
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.training import TrainingRun
from ketav_registry.repository import requests, training
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import count_end, require_run


async def cancel_training_run(
    user_id: UUID, run_id: UUID, request: RequestKey, *, stores: Stores
) -> TrainingRun:
    """Cancel a run: a queued one ends at once, a running one at the worker's next report.

    A repeated request changes nothing and gets the run. Precondition run-ended: the run has ended already.
    Conflict idempotency-key-reused.
    """
    async with stores.database.user(user_id) as transaction:
        await require_run(transaction, run_id, user_id)
        if not await requests.insert_done(transaction, user_id, request):
            return await require_run(transaction, run_id, user_id)  # as the request before has left it
        if not await training.cancel(transaction, user_id, run_id):
            raise Precondition(
                "The training run has ended already. Roll back to an earlier model with "
                "POST /models/VERSION/activate.",
                code="run-ended",
            )
        run = await require_run(transaction, run_id, user_id)
    count_end(run)
    return run
