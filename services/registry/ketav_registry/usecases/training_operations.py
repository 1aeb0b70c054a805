"""Training runs of all users, as operators list, cancel and repeat them."""

from uuid import UUID

from ketav_common.errors import Conflict, NotFound
from ketav_registry.database import Transaction
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.training import ACTIVE_STATES, RunState, TrainingRun
from ketav_registry.repository import training
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import NewRun, queue_run
from ketav_registry.usecases.training_cancellation import cancel_training_run


async def list_runs(
    user_id: UUID | None, state: RunState | None, limit: int, *, stores: Stores
) -> list[TrainingRun]:
    """Return at most `limit` runs, newest first; of one user or all, in one state or all."""
    async with stores.database.system() as transaction:
        return await training.list_runs(transaction, user_id, state, limit)


async def cancel_run(run_id: UUID, *, stores: Stores) -> TrainingRun:
    """Cancel a run of any user. NotFound: there is no such run. Precondition run-ended: it has ended."""
    async with stores.database.system() as transaction:
        run = await _require_run(transaction, run_id)
    return await cancel_training_run(run.user_id, run_id, RequestKey(), stores=stores)


async def retry_run(run_id: UUID, *, stores: Stores) -> TrainingRun:
    """Queue a new run for the user and the hand of a run that has ended, over the present ground truth.

    Conflict run-active: it has not ended, or another run of the user is active.
    """
    async with stores.database.system() as transaction:
        run = await _require_run(transaction, run_id)
    if run.state in ACTIVE_STATES:
        raise Conflict(
            f"The training run {run_id} has not ended. Wait for its end, or cancel it with "
            f"`ketav admin runs cancel {run_id}`.",
            code="run-active",
        )
    return await queue_run(run.user_id, NewRun(hand=run.hand), stores)


async def _require_run(transaction: Transaction, run_id: UUID) -> TrainingRun:
    """Return a run of any user. NotFound: there is no such run."""
    run = await training.find_run(transaction, run_id)
    if run is None:
        raise NotFound(
            f"There is no training run with the id {run_id}. List the runs with `ketav admin runs list`."
        )
    return run
