"""What users have set about automatic training, and the runs it is judged by."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.policy import TrainingPolicy
from ketav_registry.domain.readiness import PastRun
from ketav_registry.domain.training import RunState
from ketav_registry.tables import dataset, model_version, training_policy, training_run

_p, _r = training_policy.c, training_run.c
_PAST_RUNS = 20


async def find_policy(transaction: Transaction, user_id: UUID) -> TrainingPolicy:
    """Return what a user has set, or the defaults."""
    row = (await transaction.execute(training_policy.select().where(_p.user_id == user_id))).first()
    return TrainingPolicy() if row is None else TrainingPolicy(row.automatic, row.minimum_gap)


async def keep_policy(transaction: Transaction, user_id: UUID, policy: TrainingPolicy) -> None:
    """Replace what a user has set."""
    values = {"automatic": policy.automatic, "minimum_gap": policy.minimum_gap}
    upsert = pg.insert(training_policy).values(user_id=user_id, **values)
    await transaction.execute(
        upsert.on_conflict_do_update(
            index_elements=[_p.user_id], set_=values | {"updated_at": sa.func.clock_timestamp()}
        )
    )


async def now(transaction: Transaction) -> datetime:
    """Return the time by the database's clock."""
    found: datetime = (await transaction.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return found


async def past_runs(transaction: Transaction, user_id: UUID, script: Script) -> list[PastRun]:
    """Return the user's latest runs of a script that came to a verdict with both CERs, oldest first."""
    query = (
        sa.select(
            _r.state,
            dataset.c.training_lines,
            _r.cer_base,
            _r.cer_candidate,
            model_version.c.version,
            _r.parent_version,
        )
        .join(dataset, dataset.c.id == _r.dataset_id)
        .outerjoin(model_version, model_version.c.run_id == _r.id)
        .where(_r.user_id == user_id, _r.script == script)
        .where(_r.state.in_((RunState.SUCCEEDED, RunState.REJECTED)))
        .where(_r.cer_base.is_not(None), _r.cer_candidate.is_not(None))
        .order_by(_r.created_at.desc())
        .limit(_PAST_RUNS)
    )
    rows = list(await transaction.execute(query))
    return [PastRun(*row) for row in reversed(rows)]
