"""Training runs, from the queue to their end. A worker's calls carry the fence of its claim."""

from datetime import timedelta
from uuid import UUID

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, NotFound, Precondition, Stale
from ketav_common.limits import MAX_NAME_CODE_POINTS, MAX_VERDICT_CODE_POINTS
from ketav_common.tracing import traceparent
from ketav_registry import metrics
from ketav_registry.database import Transaction, UniqueConflictError, block_deletion, restrict_to_user
from ketav_registry.domain.ground_truth import split_lines
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import (
    ACTIVE_STATES,
    LEASED_STATES,
    MIN_LINES,
    Claim,
    FencedRun,
    Progress,
    RunState,
    TrainingRun,
    has_valid_figures,
    script_to_train,
    too_few_lines,
)
from ketav_registry.repository import corrections, ground_truth, training, training_readiness
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import require_base, require_serving_model

_STALE_FENCE = (
    "The fence is stale: another worker has claimed the training run, or the run has ended. "
    "Stop working on this run."
)


def stale_fence(code: str = "stale-fence") -> Stale:
    """Return the error of a call whose fence is not the one of the run's latest claim, and count it."""
    metrics.FENCE_REJECTIONS.inc()
    return Stale(_STALE_FENCE, code=code)


def count_end(run: TrainingRun) -> None:
    """Count a run that has ended, with the time since its creation; a run in another state is not counted."""
    if run.state not in ACTIVE_STATES:
        duration = run.update_time - run.create_time
        metrics.RUN_DURATION.labels(run.state).observe(duration.total_seconds())


async def create_training_run(user_id: UUID, request_id: str, *, stores: Stores) -> TrainingRun:
    """Queue a run over the user's current ground truth. A repeated request gets the run that it has started.

    Precondition too-few-lines: fewer than 16 verified lines. Conflict run-active: a run has not ended.
    """
    try:
        return await queue_run(user_id, request_id, None, stores)
    except UniqueConflictError:
        return await queue_run(user_id, request_id, None, stores)


async def queue_run(user_id: UUID, request_id: str, script: Script | None, stores: Stores) -> TrainingRun:
    """Queue a run of a script; without one, of the script with most new lines. Errors: create_training_run.

    UniqueConflictError: another run was inserted concurrently.
    """
    async with stores.database.user(user_id) as transaction:
        known = await training.find_requested_run(transaction, user_id, request_id)
        if known is not None:
            return known
        active = await training.find_active_run(transaction, user_id)
        if active is not None:
            raise Conflict(
                f"The training run {active} has not ended. Wait for its end, or cancel it with "
                f"POST /train/{active}/cancel.",
                code="run-active",
                details={"run_id": str(active)},
            )
        chosen_script, dataset_id = await _freeze_dataset(transaction, user_id, script)
        # An automatic run belongs to the trace of the corrections that made it due.
        automatic = script is not None
        trace = await corrections.last_traceparent(transaction, user_id) if automatic else traceparent()
        run_id = await training.insert_run(transaction, user_id, dataset_id, chosen_script, request_id, trace)
        if run_id is None:
            raise UniqueConflictError
        return await require_run(transaction, run_id)


async def _freeze_dataset(
    transaction: Transaction, user_id: UUID, script: Script | None
) -> tuple[Script, UUID]:
    """Insert the verified lines of a script, split by page, as a dataset; return the script and dataset id.

    Without a script, the one that a run would train first. Precondition too-few-lines: fewer than MIN_LINES.
    """
    lines = await ground_truth.verified_lines(transaction, user_id)
    if script is None:
        last_runs = await training_readiness.last_runs(transaction, user_id)
        script = script_to_train({name: len(verified) for name, verified in lines.items()}, last_runs)
    count = len(lines.get(script, ()))
    if count < MIN_LINES:
        missing = MIN_LINES - count
        raise Precondition(
            too_few_lines(count),
            code="too-few-lines",
            details={"have": str(count), "need": str(MIN_LINES), "missing": str(missing)},
        )
    previous = await ground_truth.previous_sides(transaction, user_id)
    sides = split_lines(lines[script], previous)
    dataset_id = await ground_truth.insert_dataset(transaction, user_id, script, lines[script], sides)
    return script, dataset_id


async def require_run(transaction: Transaction, run_id: UUID, user_id: UUID | None = None) -> TrainingRun:
    """Return a run, with a user_id only one of that user. NotFound: there is no such run."""
    run = await training.find_run(transaction, run_id, user_id)
    if run is None:
        raise NotFound("This account has no training run with this id. Start one with POST /train/.")
    return run


async def require_held_run(transaction: Transaction, claimed: FencedRun) -> TrainingRun:
    """Return a run that its worker still holds. Stale: another worker has claimed it, or it has ended."""
    run = await training.find_run(transaction, claimed.run_id)
    if run is None or run.fence != claimed.fence or run.state not in LEASED_STATES:
        raise stale_fence()
    return run


async def get_training_run(user_id: UUID, run_id: UUID, *, stores: Stores) -> TrainingRun:
    """Return a run of a user. NotFound: there is no such run."""
    async with stores.database.user(user_id) as transaction:
        return await require_run(transaction, run_id, user_id)


async def cancel_training_run(user_id: UUID, run_id: UUID, *, stores: Stores) -> TrainingRun:
    """Cancel a run: a queued one ends at once, a running one at the worker's next report.

    Precondition run-ended: the run has ended already.
    """
    async with stores.database.user(user_id) as transaction:
        await require_run(transaction, run_id, user_id)
        if not await training.cancel(transaction, user_id, run_id):
            raise Precondition(
                "The training run has ended already. Roll back to an earlier model with "
                "POST /models/VERSION/activate.",
                code="run-ended",
            )
        run = await require_run(transaction, run_id, user_id)
    count_end(run)
    return run


async def claim_training_run(run_id: UUID, worker: str, *, lease: timedelta, stores: Stores) -> Claim:
    """Claim a run that is queued or whose lease has expired.

    Stale run-taken: another worker holds it, it has ended, its cancellation was requested, or it has had
    MAX_ATTEMPTS claims.
    """
    worker_name = text.clean(worker, max_length=MAX_NAME_CODE_POINTS)
    async with stores.database.system() as transaction:
        run = await require_run(transaction, run_id)
        await block_deletion(transaction, run.user_id)
        if not await training.claim(transaction, run_id, worker_name, lease):
            raise Stale(
                "The training run is leased, has ended, is being cancelled, or has no attempts left. "
                "Claim another run.",
                code="run-taken",
            )
        await restrict_to_user(transaction, run.user_id)
        run = await require_run(transaction, run_id)
        parent = await require_serving_model(transaction, run.user_id, run.script)
        base = await require_base(transaction, run.script)
        await training.set_parent(transaction, FencedRun(run_id, run.fence), parent.version)
    if run.attempts == 1:
        metrics.RUN_QUEUE_DELAY.observe((run.update_time - run.create_time).total_seconds())
    return Claim(run, parent, base, lease)


async def report_training_progress(
    claimed: FencedRun, progress: Progress, *, lease: timedelta, stores: Stores
) -> bool:
    """Renew the lease, store progress, and return whether the user has cancelled the run.

    InvalidInput invalid-progress: a wrong state or figure. Stale stale-fence: another worker has claimed the
    run. Stale run-ended: the run has ended.
    """
    if progress.state not in LEASED_STATES or not has_valid_figures(progress):
        raise InvalidInput(
            "The report has a state that is neither RUNNING nor EVALUATING, or a figure that is negative or "
            "not finite. Report the figures of a running training.",
            code="invalid-progress",
        )
    async with stores.database.system() as transaction:
        cancel_requested = await training.report(transaction, claimed, progress, lease)
        if cancel_requested is None:
            run = await training.find_run(transaction, claimed.run_id)
            ended = run is None or run.state not in ACTIVE_STATES
            raise stale_fence("run-ended" if ended else "stale-fence")
    return cancel_requested


async def end_training_run(
    claimed: FencedRun, state: RunState, verdict: str, *, stores: Stores
) -> TrainingRun:
    """End a run without a model (FAILED, CANCELLED), or return it to the queue (QUEUED).

    InvalidInput invalid-state: any other state. Stale stale-fence: another worker has claimed the run, or it
    has ended.
    """
    if state not in {RunState.FAILED, RunState.CANCELLED, RunState.QUEUED}:
        raise InvalidInput(
            f"A run without a model cannot end as {state}. Send FAILED, CANCELLED or QUEUED.",
            code="invalid-state",
        )
    clean_verdict = text.clean(verdict, max_length=MAX_VERDICT_CODE_POINTS)
    async with stores.database.system() as transaction:
        if not await training.release(transaction, claimed, state, clean_verdict):
            raise stale_fence()
        run = await require_run(transaction, claimed.run_id)
    count_end(run)
    return run
