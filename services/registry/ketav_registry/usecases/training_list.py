"""The training runs of a user, listed in parts."""

from dataclasses import dataclass
from uuid import UUID

from ketav_registry.domain.requests import ListPosition
from ketav_registry.domain.training import TrainingRun
from ketav_registry.repository import training
from ketav_registry.stores import Stores


@dataclass(frozen=True, slots=True)
class RunList:
    """A part of a list of runs, and the position at which the list continues, if it does."""

    runs: list[TrainingRun]
    next_position: ListPosition[UUID] | None


async def list_training_runs(
    user_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> RunList:
    """Return at most `limit` runs of the user, newest first."""
    async with stores.database.user(user_id) as transaction:
        rows = await training.list_runs(transaction, user_id, None, limit + 1, after)
    if len(rows) <= limit:
        return RunList(rows, None)
    last = rows[limit - 1]
    return RunList(rows[:limit], ListPosition(last.create_time, last.run_id))
