"""What a user sees of the learning: when the next run comes, what it may gain, and what is set about it."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from ketav_common.errors import InvalidInput, NotFound
from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from ketav_registry.database import Database, Transaction
from ketav_registry.domain import readiness as rules
from ketav_registry.domain.models import Script
from ketav_registry.domain.policy import TrainingPolicy
from ketav_registry.domain.readiness import Calendar, Readiness, Standing
from ketav_registry.domain.teaching import NextLine, next_lines
from ketav_registry.domain.training import LineCounts
from ketav_registry.repository import ground_truth, models, policy, projects, teaching, training
from ketav_registry.usecases.projects import NO_PROJECT

_NONE = LineCounts(0, 0, 0)
_MOST_WEIGHED = 2_000
_LONGEST = 400


async def get_training_policy(user_id: UUID, *, database: Database) -> TrainingPolicy:
    """Return what a user has set about automatic training, or the defaults."""
    async with database.user(user_id) as transaction:
        return await policy.find_policy(transaction, user_id)


async def set_training_policy(user_id: UUID, wanted: TrainingPolicy, *, database: Database) -> TrainingPolicy:
    """Replace what a user has set. InvalidInput: a gap under nothing or over a week."""
    if not timedelta() <= wanted.minimum_gap <= timedelta(seconds=MAX_TRAINING_GAP_SECONDS):
        raise InvalidInput(f"a minimum gap is 0 to {MAX_TRAINING_GAP_SECONDS:,} seconds", code="invalid-gap")
    async with database.user(user_id) as transaction:
        await policy.keep_policy(transaction, user_id, wanted)
    return wanted


async def get_readiness(
    user_id: UUID, script: Script | None, *, database: Database
) -> tuple[list[Readiness], Calendar]:
    """Say how near each script (or the one named) is to its next run, most verified lines first."""
    async with database.user(user_id) as transaction:
        counts = await ground_truth.count_lines(transaction, user_id)
        now = await policy.now(transaction)
        ages = await ground_truth.tried(transaction, user_id)
        tried = {each: (count, now - age) for each, (count, age) in ages.items()}
        calendar = Calendar(
            now=now,
            policy=await policy.find_policy(transaction, user_id),
            active_run=await training.find_active_run(transaction, user_id),
            last_any=max((when for _, when in tried.values()), default=None),
        )
        wanted = [script] if script else (counts.keys() | tried.keys() or {Script.MODERN_CURSIVE})
        standings = [
            await _standing(transaction, user_id, each, counts.get(each, _NONE), tried.get(each))
            for each in wanted
        ]
    standings.sort(key=lambda found: (-found.counts.verified, found.script))
    return [rules.readiness(standing, calendar) for standing in standings], calendar


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
        past_runs=await policy.past_runs(transaction, user_id, script),
        serving=serving.version if serving else "",
    )


async def list_next_lines(
    user_id: UUID, project_id: UUID, limit: int, *, database: Database
) -> tuple[list[NextLine], int]:
    """Return the lines of a project whose correction would teach most, and of how many. NotFound: no project.

    At most the 2,000 least confident lines are weighed, against the 2,000 latest verified texts.
    """
    async with database.user(user_id) as transaction:
        if await projects.find_project(transaction, user_id, project_id) is None:
            raise NotFound(NO_PROJECT)
        bounds = (_MOST_WEIGHED, _LONGEST)
        candidates, total = await teaching.uncorrected_lines(transaction, user_id, project_id, *bounds)
        verified = await teaching.verified_texts(transaction, user_id, project_id, *bounds)
    return await asyncio.to_thread(next_lines, candidates, verified, limit), total
