"""Training runs: queued by a user or by need, held by one worker at a time, ended once."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, KetavError, NotFound, Precondition, Stale
from ketav_common.limits import MAX_NAME_CODE_POINTS, MAX_VERDICT_CODE_POINTS
from ketav_common.logging import get_logger
from ketav_registry.database import Database, Raced, Transaction, hold, narrow
from ketav_registry.domain.ground_truth import split_lines
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import (
    ACTIVE,
    HELD,
    MIN_LINES,
    Lease,
    Progress,
    RunState,
    TrainingRun,
    chosen_script,
    plausible,
)
from ketav_registry.domain.training_policy import is_due
from ketav_registry.repository import ground_truth, training, training_policy, training_readiness
from ketav_registry.usecases.models import required_base, required_model

log = get_logger()
NO_RUN = "no such training run"
# Under the deadline of who asks for a sweep, with room for what else it does.
_QUEUEING_S = 5.0


async def create_training_run(user_id: UUID, request_id: str, *, database: Database) -> TrainingRun:
    """Queue a run of a user over their ground truth as it is now.

    Precondition too-few-lines: fewer than 16 verified lines. Conflict run-active: a run has not ended.
    """
    try:
        return await _create(user_id, request_id, None, database)
    except Raced:
        return await _create(user_id, request_id, None, database)


async def _create(user_id: UUID, request_id: str, script: Script | None, database: Database) -> TrainingRun:
    """Freeze a dataset of a script (the one with most news when none is named) and queue a run over it."""
    async with database.user(user_id) as transaction:
        known = await training.find_requested_run(transaction, user_id, request_id)
        if known is not None:
            return known
        active = await training.find_active_run(transaction, user_id)
        if active is not None:
            raise Conflict("a training run is active", code="run-active", details={"run_id": str(active)})
        chosen, dataset_id = await _freeze(transaction, user_id, script)
        run_id = await training.insert_run(transaction, user_id, dataset_id, chosen, request_id)
        if run_id is None:
            raise Raced
        return await _found(transaction, run_id)


async def _freeze(transaction: Transaction, user_id: UUID, script: Script | None) -> tuple[Script, UUID]:
    """Freeze the verified lines of a script, split by page, as a dataset."""
    lines = await ground_truth.verified_lines(transaction, user_id)
    if script is None:
        tried = await training_readiness.tried(transaction, user_id)
        script = chosen_script({each: len(found) for each, found in lines.items()}, tried)
    have = len(lines.get(script, ()))
    if have < MIN_LINES:
        missing = MIN_LINES - have
        details = {"have": str(have), "need": str(MIN_LINES), "missing": str(missing)}
        raise Precondition(
            f"{missing} more corrected lines are needed", code="too-few-lines", details=details
        )
    sides = split_lines(lines[script], await ground_truth.sides_before(transaction, user_id))
    return script, await ground_truth.insert_dataset(transaction, user_id, script, lines[script], sides)


async def _found(transaction: Transaction, run_id: UUID, user_id: UUID | None = None) -> TrainingRun:
    """Return a run, of the user when one is named. NotFound: none."""
    run = await training.find_run(transaction, run_id, user_id)
    if run is None:
        raise NotFound(NO_RUN)
    return run


async def get_training_run(user_id: UUID, run_id: UUID, *, database: Database) -> TrainingRun:
    """Return a run of a user."""
    async with database.user(user_id) as transaction:
        return await _found(transaction, run_id, user_id)


async def cancel_training_run(user_id: UUID, run_id: UUID, *, database: Database) -> TrainingRun:
    """Ask for the end of a run: a queued one ends at once. Precondition run-ended: it had ended."""
    async with database.user(user_id) as transaction:
        await _found(transaction, run_id, user_id)
        if not await training.cancel(transaction, user_id, run_id):
            raise Precondition("the training run has ended", code="run-ended")
        return await _found(transaction, run_id, user_id)


async def claim_training_run(run_id: UUID, worker: str, *, lease: timedelta, database: Database) -> Lease:
    """Take a queued or abandoned run. Stale: somebody else has it, or it has ended."""
    name = text.clean(worker, max_length=MAX_NAME_CODE_POINTS)
    async with database.system() as transaction:
        run = await _found(transaction, run_id)
        await hold(transaction, run.user_id)
        if not await training.claim(transaction, run_id, name, lease):
            raise Stale("somebody else has the training run, or it has ended", code="run-taken")
        await narrow(transaction, run.user_id)
        run = await _found(transaction, run_id)
        parent = await required_model(transaction, run.user_id, run.script)
        base = await required_base(transaction, run.script)
        await training.set_parent(transaction, run_id, run.fence, parent.version)
    return Lease(run, parent, base, lease)


async def report_progress(
    run_id: UUID, fence: int, progress: Progress, *, lease: timedelta, database: Database
) -> bool:
    """Renew the lease and note progress; say whether the user wants the run's end. Stale: lost the run."""
    if progress.state not in HELD or not plausible(progress):
        raise InvalidInput("this is no progress of a held run", code="invalid-progress")
    async with database.system() as transaction:
        asked = await training.report(transaction, run_id, fence, progress, lease)
        if asked is None:
            run = await training.find_run(transaction, run_id)
            ended = run is None or run.state not in ACTIVE
            code = "run-ended" if ended else "stale-fence"
            raise Stale("the training run is not held under this fence", code=code)
    return asked


async def end_training_run(
    run_id: UUID, fence: int, state: RunState, verdict: str, *, database: Database
) -> TrainingRun:
    """End a held run without a model (FAILED, CANCELLED) or give it back (QUEUED). Stale: lost the run."""
    if state not in {RunState.FAILED, RunState.CANCELLED, RunState.QUEUED}:
        raise InvalidInput("a run without a model is failed, cancelled or queued", code="invalid-state")
    reason = text.clean(verdict, max_length=MAX_VERDICT_CODE_POINTS)
    async with database.system() as transaction:
        if not await training.give_up(transaction, run_id, fence, state, reason):
            raise Stale("the training run is held under another fence", code="stale-fence")
        return await _found(transaction, run_id)


async def sweep_training_runs(*, database: Database, queueing_s: float = _QUEUEING_S) -> list[UUID]:
    """Requeue abandoned runs, queue runs of the users who are due, and return every queued run.

    Asking who is due ends after `queueing_s` seconds, so that the queued runs are told before the caller
    gives up; whom it has left out is asked in a later sweep.
    """
    async with database.system() as transaction:
        await training.expire(transaction)
    await _queue_due(database, queueing_s)
    async with database.system() as transaction:
        return await training.queued_runs(transaction)


async def _queue_due(database: Database, seconds: float) -> None:
    """Queue runs of the users who are due, in random order, until the time is over."""
    candidates: list[UUID] = []
    try:
        async with asyncio.timeout(seconds):
            async with database.system() as transaction:
                candidates = await training_readiness.users_with_news(transaction)
            while candidates:
                user_id = candidates.pop()
                try:
                    await _queue_when_due(user_id, database)
                except KetavError as error:  # one user's trouble must not keep the others waiting
                    log.warning("due_run_not_queued", due_user=str(user_id), code=error.code)
    except TimeoutError:
        log.warning("queueing_cut_short", not_asked=len(candidates))


async def _queue_when_due(user_id: UUID, database: Database) -> None:
    """Queue a run of a user when one of their scripts is due."""
    async with database.user(user_id) as transaction:
        have = await ground_truth.count_verified(transaction, user_id)
        tried = await training_readiness.tried(transaction, user_id)
        wanted = await training_policy.find_policy(transaction, user_id)
    since_any = min((age for _, age in tried.values()), default=None)
    due = [script for script, lines in have.items() if is_due(lines, tried.get(script), wanted, since_any)]
    if due:
        # Somebody has started a run between the two transactions: that one will do.
        with suppress(Conflict, Raced):
            await _create(user_id, "", max(due, key=lambda script: have[script]), database)
