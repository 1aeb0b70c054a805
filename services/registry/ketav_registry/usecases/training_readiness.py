"""Readiness of a user's scripts for their next training runs."""

from uuid import UUID

from ketav_registry.database import Transaction
from ketav_registry.domain.ground_truth import LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import LastRun
from ketav_registry.domain.training_readiness import ScriptStatus, UserReadiness, UserStatus, readiness
from ketav_registry.repository import ground_truth, models, training, training_policy, training_readiness
from ketav_registry.stores import Stores

_NO_LINES = LineCounts(verified=0, quarantined=0, holdout=0)


async def get_readiness(user_id: UUID, script: Script | None, *, stores: Stores) -> UserReadiness:
    """Return the readiness of one script, or of all scripts of the user; modern cursive if there is none."""
    async with stores.database.user(user_id) as transaction:
        counts = await ground_truth.count_lines(transaction, user_id)
        now = await training_readiness.database_time(transaction)
        last_runs = await training_readiness.last_runs(transaction, user_id)
        latest_age = min((run.age for run in last_runs.values()), default=None)
        user = UserStatus(
            now=now,
            policy=await training_policy.find_policy(transaction, user_id),
            active_run=await training.find_active_run(transaction, user_id),
            last_run_time=None if latest_age is None else now - latest_age,
        )
        scripts = [script] if script else (counts.keys() | last_runs.keys() or {Script.MODERN_CURSIVE})
        statuses = [
            await _script_status(transaction, user_id, name, counts.get(name, _NO_LINES), last_runs.get(name))
            for name in scripts
        ]
    statuses.sort(key=lambda status: (-status.counts.verified, status.script))
    return UserReadiness([readiness(status, user) for status in statuses], user)


async def _script_status(
    transaction: Transaction, user_id: UUID, script: Script, counts: LineCounts, last_run: LastRun | None
) -> ScriptStatus:
    """Read the other facts about a script."""
    serving = await models.serving_model(transaction, user_id, script)
    return ScriptStatus(
        script=script,
        counts=counts,
        last_run=last_run,
        past_runs=await training_readiness.past_runs(transaction, user_id, script),
        serving_version=serving.version if serving else "",
    )
