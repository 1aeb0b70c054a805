"""Training runs, from the queue to their end. A worker's calls carry the fence of its claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, NotFound, Precondition, Stale
from ketav_common.limits import MAX_NAME_CODE_POINTS, MAX_VERDICT_CODE_POINTS
from ketav_common.tracing import traceparent
from ketav_registry import metrics
from ketav_registry.database import Transaction, UniqueConflictError, block_deletion, restrict_to_user
from ketav_registry.domain.ground_truth import VerifiedLine, split_lines
from ketav_registry.domain.models import ModelKind
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.training import (
    ACTIVE_STATES,
    LEASED_STATES,
    MIN_LINES,
    Claim,
    FencedRun,
    Progress,
    RunState,
    TrainingRun,
    hand_to_train,
    has_valid_figures,
    too_few_lines,
)
from ketav_registry.repository import (
    corrections,
    ground_truth,
    models,
    training,
    training_new_base,
    training_policy,
    training_readiness,
    training_sweep,
)
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import require_base
from ketav_registry.usecases.projects_hands import require_hand

_STALE_FENCE = (
    "The fence is stale: another worker has claimed the training run, or the run has ended. "
    "Stop working on this run."
)


def stale_fence(run: TrainingRun | None) -> Stale:
    """Return the error of a call whose fence is not the one of the run's latest claim, and count it.

    The code is run-ended where no worker will continue the run: a worker deletes its checkpoint then.
    """
    metrics.FENCE_REJECTIONS.inc()
    ended = run is None or run.state not in ACTIVE_STATES
    return Stale(_STALE_FENCE, code="run-ended" if ended else "stale-fence")


def count_end(run: TrainingRun) -> None:
    """Count a run that has ended, with the time since its creation; a run in another state is not counted."""
    if run.state not in ACTIVE_STATES:
        duration = run.update_time - run.create_time
        metrics.RUN_DURATION.labels(run.state).observe(duration.total_seconds())


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to queue: of `hand`, which the registry has chosen, or as a user requests it.

    `hand_name` is the hand that a user names: empty, their own; None, the one with most new lines. `new_base`
    is the base from which the run trains.
    """

    request: RequestKey = field(default_factory=RequestKey)
    hand_name: str | None = None
    hand: Hand | None = None
    new_base: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerRequests:
    """The requests to a worker about its run: to cancel it, or to return it to the queue."""

    cancel: bool
    return_to_queue: bool


async def create_training_run(user_id: UUID, new: NewRun, *, stores: Stores) -> TrainingRun:
    """Queue a run over the user's current ground truth. A repeated request gets the run that it has started.

    Precondition too-few-lines: fewer than 16 verified lines. Conflict run-active: a run has not ended;
    idempotency-key-reused. InvalidInput unknown-hand: the user has no such hand.
    """
    try:
        return await queue_run(user_id, new, stores)
    except UniqueConflictError:
        return await queue_run(user_id, new, stores)


async def queue_run(user_id: UUID, new: NewRun, stores: Stores) -> TrainingRun:
    """Queue a run; one that a user requests replaces a queued run from a new base.

    Errors: create_training_run. UniqueConflictError: another run was inserted concurrently.
    """
    async with stores.database.user(user_id) as transaction:
        known = await training.find_requested_run(transaction, user_id, new.request)
        if known is not None:
            return known
        automatic = new.hand is not None
        if not automatic:
            await training_new_base.replace_queued(transaction, user_id)
        await _require_no_active_run(transaction, user_id)
        hand, dataset_id = await _freeze_dataset(transaction, user_id, new)
        # An automatic run belongs to the trace of the corrections that made it due.
        trace = await corrections.last_traceparent(transaction, user_id) if automatic else traceparent()
        new_base = new.new_base if automatic else await _new_base(transaction, user_id, hand)
        run_id = await training.insert_run(
            transaction, user_id, dataset_id, hand, new.request, trace, new_base
        )
        if run_id is None:
            raise UniqueConflictError
        return await require_run(transaction, run_id)


async def _require_no_active_run(transaction: Transaction, user_id: UUID) -> None:
    """Raise Conflict run-active if a run of the user has not ended."""
    active = await training.find_active_run(transaction, user_id)
    if active is not None:
        raise Conflict(
            f"The training run {active} has not ended. Wait for its end, or cancel it with "
            f"POST /train/{active}/cancel.",
            code="run-active",
            details={"run_id": str(active)},
        )


async def _new_base(transaction: Transaction, user_id: UUID, hand: Hand) -> str | None:
    """Return the base that a run which the user starts trains from; None: it fine-tunes the hand's model.

    A user who allows automatic runs gets one from a new base by itself.
    """
    if (await training_policy.find_policy(transaction, user_id)).automatic:
        return None
    base = await require_base(transaction, hand.script)
    outdated = await training_new_base.is_outdated(transaction, user_id, hand, base.version)
    return base.version if outdated else None


async def _freeze_dataset(transaction: Transaction, user_id: UUID, new: NewRun) -> tuple[Hand, UUID]:
    """Insert the verified lines of a run's hand, split by page, as a dataset; return hand and dataset id.

    Precondition too-few-lines: fewer than MIN_LINES. InvalidInput unknown-hand: the user has no such hand.
    """
    lines = await ground_truth.verified_lines(transaction, user_id)
    hand = new.hand or await _requested_hand(transaction, user_id, new.hand_name, lines)
    count = len(lines.get(hand, ()))
    if count < MIN_LINES:
        missing = MIN_LINES - count
        raise Precondition(
            too_few_lines(count, hand),
            code="too-few-lines",
            details={"have": str(count), "need": str(MIN_LINES), "missing": str(missing)},
        )
    previous = await ground_truth.previous_sides(transaction, user_id)
    sides = split_lines(lines[hand], previous)
    dataset_id = await ground_truth.insert_dataset(transaction, user_id, hand, lines[hand], sides)
    return hand, dataset_id


async def _requested_hand(
    transaction: Transaction, user_id: UUID, name: str | None, lines: Mapping[Hand, Sequence[VerifiedLine]]
) -> Hand:
    """Return the hand with a name; without one the hand to train first, of the user's own if it is empty."""
    if name:
        return await require_hand(transaction, user_id, name)
    last_runs = await training_readiness.last_runs(transaction, user_id)
    counts = {hand: len(own) for hand, own in lines.items() if name is None or hand.hand_id is None}
    return hand_to_train(counts, last_runs)


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
        raise stale_fence(run)
    return run


async def get_training_run(user_id: UUID, run_id: UUID, *, stores: Stores) -> TrainingRun:
    """Return a run of a user. NotFound: there is no such run."""
    async with stores.database.user(user_id) as transaction:
        return await require_run(transaction, run_id, user_id)


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
        claim = await _with_models(transaction, await require_run(transaction, run_id), lease)
    run = claim.run
    if run.attempts == 1:
        metrics.RUN_QUEUE_DELAY.observe((run.update_time - run.create_time).total_seconds())
    return claim


async def _with_models(transaction: Transaction, run: TrainingRun, lease: timedelta) -> Claim:
    """Return a claimed run with its models, and store which it starts from and is compared with.

    A hand without a version of its own starts from the base, so that no deletion of other lines taints its
    model, even while a version of the user's own hand serves it.
    """
    base = await require_base(transaction, run.script)
    active = await models.active_version(transaction, run.user_id, run.hand)
    if active is not None and active.user_id is not None and active.hand_id != run.hand.hand_id:
        active = None
    serving = base if active is None else active.model
    parent = base if run.new_base else serving
    own = None
    if run.hand.hand_id is not None and serving.kind is ModelKind.BASE:
        version = await models.active_version(transaction, run.user_id, Hand(run.script))
        own = version.model if version is not None and version.user_id is not None else None
    claimed = FencedRun(run.run_id, run.fence)
    await training.set_models(transaction, claimed, parent.version, (own or serving).version)
    return Claim(run, parent, serving, base, lease, own)


async def report_training_progress(
    claimed: FencedRun, progress: Progress, *, lease: timedelta, stores: Stores
) -> WorkerRequests:
    """Renew the lease, store progress, and return whether the run is cancelled, or must yield to another.

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
            raise stale_fence(await training.find_run(transaction, claimed.run_id))
        yields = await training_sweep.should_yield(transaction, claimed)
    return WorkerRequests(cancel_requested, yields)


async def end_training_run(
    claimed: FencedRun, state: RunState, verdict: str, *, stores: Stores
) -> TrainingRun:
    """End a run without a model (FAILED, CANCELLED), or return it to the queue (QUEUED).

    InvalidInput invalid-state: any other state. Stale stale-fence: another worker has claimed the run. Stale
    run-ended: the run has ended.
    """
    if state not in {RunState.FAILED, RunState.CANCELLED, RunState.QUEUED}:
        raise InvalidInput(
            f"A run without a model cannot end as {state}. Send FAILED, CANCELLED or QUEUED.",
            code="invalid-state",
        )
    clean_verdict = text.clean(verdict, max_length=MAX_VERDICT_CODE_POINTS)
    async with stores.database.system() as transaction:
        if not await training.release(transaction, claimed, state, clean_verdict):
            raise stale_fence(await training.find_run(transaction, claimed.run_id))
        run = await require_run(transaction, claimed.run_id)
    count_end(run)
    return run
