"""Report when the next training run is due and what it may gain."""

from datetime import datetime
from uuid import UUID

from ketav_registry.database import Database, Transaction
from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.training_readiness import Calendar, Readiness, Standing, readiness
from ketav_registry.repository import ground_truth, models, training, training_policy, training_readiness

_NONE = LineCounts(0, 0, 0)


async def get_readiness(
    user_id: UUID, script: Script | None, *, database: Database
) -> tuple[list[Readiness], Calendar]:
    """Say how near each script (or the one named) is to its next run, most verified lines first."""
    async with database.user(user_id) as transaction:
        counts = await ground_truth.count_lines(transaction, user_id)
        now = await training_readiness.now(transaction)
        ages = await training_readiness.tried(transaction, user_id)
        tried = {each: (count, now - age) for each, (count, age) in ages.items()}
        calendar = Calendar(
            now=now,
            policy=await training_policy.find_policy(transaction, user_id),
            active_run=await training.find_active_run(transaction, user_id),
            last_any=max((when for _, when in tried.values()), default=None),
        )
        wanted = [script] if script else (counts.keys() | tried.keys() or {Script.MODERN_CURSIVE})
        standings = [
            await _standing(transaction, user_id, each, counts.get(each, _NONE), tried.get(each))
            for each in wanted
        ]
    standings.sort(key=lambda found: (-found.counts.verified, found.script))
    return [readiness(standing, calendar) for standing in standings], calendar


async def _standing(
    transaction: Transaction,
    user_id: UUID,
    script: Script,
    counts: LineCounts,
    tried: tuple[int, datetime] | None,
) -> Standing:
    """Gather what is known of a script; the split is the one that a run would make now."""
    serving = await models.serving_model(transaction, user_id, script)
    return Standing(
        script=script,
        counts=counts,
        last_run_lines=tried[0] if tried else 0,
        last_run_time=tried[1] if tried else None,
        past_runs=await training_readiness.past_runs(transaction, user_id, script),
        serving=serving.version if serving else "",
    )
