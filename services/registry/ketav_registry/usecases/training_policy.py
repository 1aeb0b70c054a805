"""Read and set the policy of automatic training runs."""

from datetime import timedelta
from uuid import UUID

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from ketav_registry.database import Database
from ketav_registry.domain.training_policy import TrainingPolicy
from ketav_registry.repository import training_policy


async def get_training_policy(user_id: UUID, *, database: Database) -> TrainingPolicy:
    """Return what a user has set about automatic training, or the defaults."""
    async with database.user(user_id) as transaction:
        return await training_policy.find_policy(transaction, user_id)


async def set_training_policy(user_id: UUID, wanted: TrainingPolicy, *, database: Database) -> TrainingPolicy:
    """Replace what a user has set. InvalidInput: a gap under nothing or over a week."""
    if not timedelta() <= wanted.minimum_gap <= timedelta(seconds=MAX_TRAINING_GAP_SECONDS):
        raise InvalidInput(f"a minimum gap is 0 to {MAX_TRAINING_GAP_SECONDS:,} seconds", code="invalid-gap")
    async with database.user(user_id) as transaction:
        await training_policy.keep_policy(transaction, user_id, wanted)
    return wanted
