"""Users' policies of automatic training."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.training_policy import TrainingPolicy
from ketav_registry.tables import training_policy

_policy = training_policy.c


async def find_policy(transaction: Transaction, user_id: UUID) -> TrainingPolicy:
    """Return a user's policy, or the default policy."""
    row = (await transaction.execute(training_policy.select().where(_policy.user_id == user_id))).first()
    return TrainingPolicy() if row is None else TrainingPolicy(row.automatic, row.minimum_gap)


async def set_policy(transaction: Transaction, user_id: UUID, policy: TrainingPolicy) -> None:
    """Insert or replace a user's policy."""
    values = {"automatic": policy.automatic, "minimum_gap": policy.minimum_gap}
    upsert = pg.insert(training_policy).values(user_id=user_id, **values)
    await transaction.execute(
        upsert.on_conflict_do_update(
            index_elements=[_policy.user_id], set_=values | {"updated_at": sa.func.clock_timestamp()}
        )
    )
