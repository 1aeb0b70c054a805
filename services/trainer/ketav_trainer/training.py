"""Brings a training run from the claim to its end."""

import asyncio
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from ketav_common import faults, tracing
from ketav_common.errors import KetavError, NotFound, Precondition, Stale, TimedOut, Unavailable
from ketav_common.lease import CancelledByUserError, LeaseLostError, WorkerStoppingError
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind
from ketav_trainer import metrics
from ketav_trainer.card import describe, own_figures, sentence_of
from ketav_trainer.dataset import save_dataset, save_model
from ketav_trainer.domain import (
    INTERNAL_ERROR,
    Candidate,
    Claim,
    Dataset,
    FitFailedError,
    State,
    TrainingConfig,
)
from ketav_trainer.events import FitResult, TrainingEventHandler
from ketav_trainer.fit_messages import BASE, CANDIDATE, OWN, PARENT, SERVING, FitConfig
from ketav_trainer.fit_runner import FitProcesses, run_fit
from ketav_trainer.gate import Verdict, judge
from ketav_trainer.lease import RunLease
from ketav_trainer.metrics import measure_stage
from ketav_trainer.registry import RegistryClient
from ketav_trainer.scratch import checkpoint_of, delete_checkpoint, private_directory

log = get_logger()

_CANCELLED: Final = "The user cancelled the training."
"""Verdict of a run that its user has cancelled."""
_RUN_ENDED: Final = frozenset({"run-ended", "run-cancelled"})
"""Codes of the registry's refusal of a run that no worker continues: its lines may have been deleted."""
Outcome = Literal["published", "cancelled", "failed", "run_ended", "lease_lost", "returned"]
"""How an attempt ended; after the last two, another attempt may continue from the checkpoint."""
_UNFINISHED: Final = frozenset({"lease_lost", "returned"})


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts that a worker needs to train."""

    registry: RegistryClient
    config: TrainingConfig
    processes: FitProcesses
    stop: asyncio.Event
    """Set when the worker is stopping."""


async def run_training(run_id: str, *, dependencies: Dependencies) -> Outcome | None:
    """Claim a run and bring it to an end; do nothing when another worker owns it or it has ended.

    Returns how the attempt ended, None where there was none. When `stop` is set, or the registry asks for it
    because an interrupted run waits, the run goes back to the queue; a later attempt on this machine
    continues from the checkpoint. After the lease is lost nothing is written any more.
    """
    config = dependencies.config
    faults.reached("before-claim", run_id)
    try:
        claim = await dependencies.registry.claim(run_id, config.worker)
    except (Stale, NotFound, Precondition) as error:
        log.info("run_not_claimed", run_id=run_id, code=error.code)
        return None
    log.info("run_claimed", run_id=run_id, fence=claim.fence)
    faults.reached("after-claim", run_id)
    began = time.monotonic()
    headers = tracing.headers_to_continue(claim.traceparent)
    attributes: tracing.Attributes = {"ketav.run_id": claim.run_id, "ketav.fence": claim.fence}
    with (
        metrics.ATTEMPTS_ACTIVE.track_inprogress(),
        tracing.span("train run", SpanKind.CONSUMER, headers=headers, attributes=attributes) as span,
    ):
        async with RunLease(claim, dependencies.registry.report, config.heartbeat_s) as lease:
            outcome = await _run_attempt(claim, lease, dependencies)
        span.set_attribute("ketav.outcome", outcome)
    metrics.ATTEMPT_DURATION.labels(outcome).observe(time.monotonic() - began)
    if outcome not in _UNFINISHED:
        delete_checkpoint(config.directory, claim)
    faults.reached("before-ack", run_id)
    return outcome


async def train_model(
    user_id: UUID, dataset: Dataset, *, claim: Claim, lease: RunLease, dependencies: Dependencies
) -> Candidate:
    """Fine-tune a user's model on a dataset in a process of its own, and judge it on the held-out lines.

    The parent model is a file in the dataset's directory. Raises FitFailedError with sentences for the user.
    """
    config, began = dependencies.config, time.monotonic()
    events = TrainingEventHandler(lease.report)
    fit_config = _fit_config(dataset, claim, config)
    await run_fit(dependencies.processes, fit_config, events.handle, seconds=config.seconds)
    result = events.result()
    verdict = _verdict(claim, result, config.seed)
    compared = claim.own if claim.own and result.own_is_reference else claim.serving
    metrics.record_verdict(promoted=verdict.promote, serving=verdict.cer_before, candidate=verdict.cer_after)
    card = {
        "user_id": str(user_id),
        "engine": config.engine,
        "seed": config.seed,
        "epochs": events.progress.epoch,
        "seconds": round(time.monotonic() - began, 1),
        "skipped_lines": result.skipped_lines,
        "words": result.words,
        "measured_lines": len(result.errors),
        "cross_validated_lines": len(result.folds),
        "completed": result.completed,
    }
    training_lines = dataset.count(holdout=False)
    return Candidate(
        path=dataset.directory / CANDIDATE,
        sha256=result.sha256,
        verdict=verdict,
        training_lines=training_lines + (dataset.count(holdout=True) if result.completed else 0),
        card=json.dumps(
            card | describe(claim, compared, dataset, verdict) | own_figures(claim, result.own),
            ensure_ascii=False,
        ),
        serving_version=compared.version,
        completed=result.completed,
    )


def _verdict(claim: Claim, result: FitResult, seed: int) -> Verdict:
    """Return the gate's verdict on a result, with sentences about the models that took part."""
    errors, general, folds = result.errors, result.general, result.folds
    verdict = judge(errors, general, folds=folds, general_limit=result.general_limit, seed=seed)
    return replace(verdict, sentence=sentence_of(claim, verdict, own_is_reference=result.own_is_reference))


def _fit_config(dataset: Dataset, claim: Claim, config: TrainingConfig) -> FitConfig:
    """Return the configuration of the training process."""
    return FitConfig(
        directory=dataset.directory,
        seed=config.seed,
        epochs=config.epochs,
        checkpoint=checkpoint_of(config.directory, claim),
        parent_sha256=claim.parent.sha256,
        base_sha256=claim.base.sha256 if claim.base != claim.parent else None,
        serving_sha256=claim.serving.sha256 if claim.serving != claim.parent else None,
        own_sha256=claim.own.sha256 if claim.own else None,
        pages=dataset.pages,
        replay=config.replay,
        general=config.general,
    )


async def _run_attempt(claim: Claim, lease: RunLease, dependencies: Dependencies) -> Outcome:
    """Attempt a run, record how it ended, and return the outcome of the attempt."""
    registry = dependencies.registry
    try:
        await lease.guard(_attempt(claim, lease, dependencies), dependencies.stop)
    except LeaseLostError as error:
        log.warning("lease_lost", run_id=claim.run_id, reason=str(error))
        return "run_ended" if str(error) in _RUN_ENDED else "lease_lost"
    except WorkerStoppingError:
        await _end(registry, claim, "QUEUED", "")
        return "returned"
    except CancelledByUserError:
        await _end(registry, claim, "CANCELLED", _CANCELLED)
        return "cancelled"
    except FitFailedError as error:
        await _end(registry, claim, "FAILED", str(error))
        return "failed"
    return "published"


async def _attempt(claim: Claim, lease: RunLease, dependencies: Dependencies) -> None:
    """Fetch the ground truth, train, and publish, in a private directory that is deleted afterwards.

    Raises LeaseLostError when the registry refuses the fence, WorkerStoppingError when it is unavailable
    (another attempt continues), and FitFailedError for any other refusal.
    """
    registry, config = dependencies.registry, dependencies.config
    with private_directory(config.directory) as directory:
        try:
            with measure_stage("fetch"):
                dataset = await save_dataset(registry.ground_truth(claim), directory)
                await _save_models(registry, claim, directory)
            candidate = await train_model(
                claim.user_id, dataset, claim=claim, lease=lease, dependencies=dependencies
            )
            faults.reached("before-upload", claim.run_id)
            with measure_stage("publish"):
                await registry.publish(claim, candidate)
        except Stale as error:
            raise LeaseLostError(error.code) from error
        except (Unavailable, TimedOut) as error:
            raise WorkerStoppingError(error.code) from error
        except KetavError as error:
            log.error("training_refused", run_id=claim.run_id, code=error.code, detail=error.detail)  # noqa: TRY400
            raise FitFailedError(INTERNAL_ERROR) from error
    log.info("run_published", run_id=claim.run_id, promote=candidate.verdict.promote)


async def _save_models(registry: RegistryClient, claim: Claim, directory: Path) -> None:
    """Write the files of the models that take part: the parent, and those that differ from it."""
    models = {PARENT: claim.parent, BASE: claim.base, SERVING: claim.serving, OWN: claim.own}
    for name, model in models.items():
        if model is not None and (name == PARENT or model != claim.parent):
            await save_model(registry.model(claim, model), model, directory / name)


async def _end(registry: RegistryClient, claim: Claim, state: State, verdict: str) -> None:
    """Record how the attempt ended; when the registry is unavailable, the lease runs out instead."""
    try:
        await registry.end(claim, state, verdict)
    except KetavError as error:
        log.warning("end_not_recorded", run_id=claim.run_id, state=state, code=error.code)
    else:
        event = "run_requeued" if state == "QUEUED" else "run_ended"
        log.info(event, run_id=claim.run_id, state=state, verdict=verdict)
