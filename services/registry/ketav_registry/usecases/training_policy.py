"""A user's policy of automatic training."""

from datetime import timedelta
from uuid import UUID

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from ketav_registry.domain.training_policy import TrainingPolicy
from ketav_registry.repository import training_policy
from ketav_registry.stores import Stores


async def get_training_policy(user_id: UUID, *, stores: Stores) -> TrainingPolicy:
    """Return the user's policy, or the default policy."""
    async with stores.database.user(user_id) as transaction:
        return await training_policy.find_policy(transaction, user_id)


async def set_training_policy(user_id: UUID, policy: TrainingPolicy, *, stores: Stores) -> TrainingPolicy:
    """Replace the user's policy. InvalidInput invalid-gap: the minimum gap is negative or over a week."""
    if not timedelta() <= policy.minimum_gap <= timedelta(seconds=MAX_TRAINING_GAP_SECONDS):
        raise InvalidInput(
            f"The minimum gap is {policy.minimum_gap.total_seconds():,.0f} seconds. "
            f"Send 0 to {MAX_TRAINING_GAP_SECONDS:,} seconds.",
            code="invalid-gap",
            details={"pointer": "/minimum_gap_seconds"},
        )
    async with stores.database.user(user_id) as transaction:
        await training_policy.set_policy(transaction, user_id, policy)
    return policy
