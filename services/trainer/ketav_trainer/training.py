"""A run from the claim to its end: what a worker does."""

import asyncio
import json
import math
import time
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from ketav_common import faults
from ketav_common.errors import KetavError, NotFound, Precondition, Stale, TimedOut, Unavailable
from ketav_common.logging import get_logger
from ketav_trainer.card import describe
from ketav_trainer.child import CANDIDATE, PARENT, RUN, run_child
from ketav_trainer.dataset import save_dataset, save_model
from ketav_trainer.domain import (
    CancelledByUserError,
    Candidate,
    Claim,
    Dataset,
    FitFailedError,
    LeaseLostError,
    Progress,
    State,
    WorkerStoppingError,
)
from ketav_trainer.gate import LineErrors, judge
from ketav_trainer.lease import Lease
from ketav_trainer.registry import Registry
from ketav_trainer.scratch import checkpoint_of, forget_checkpoint, private_directory

log = get_logger()

_RUN_ENDED = "run-ended"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and how trainings run."""

    directory: Path
    """Private directories of runs are made in it."""
    engine: str
    seed: int
    epochs: int | None
    """Passes over the training lines; None for a budget that suits them."""
    memory_bytes: int
    seconds: float
    heartbeat_s: float
    worker: str
    """Name of this worker, for the registry's log."""
    replay: Path | None = None
    """File of lines of other hands that are replayed."""
    general: Path | None = None
    """File of lines of other hands on which a candidate may lose little."""
    language: Path | None = None
    """The language model that serves, with which models are compared."""


async def run_training(run_id: str, *, registry: Registry, workshop: Workshop, stop: asyncio.Event) -> None:
    """Claim a run and bring it to an end; drop it quietly when somebody else has it or it has ended.

    When `stop` is set the run goes back to the queue; a later attempt on this machine goes on where
    it stood. When the lease is lost nothing is written any more.
    """
    faults.reached("before-claim", run_id)
    try:
        claim = await registry.claim(run_id, workshop.worker)
    except (Stale, NotFound, Precondition) as error:
        log.info("run_not_claimed", run_id=run_id, code=error.code)
        return
    log.info("run_claimed", run_id=run_id, fence=claim.fence)
    faults.reached("after-claim", run_id)
    async with Lease(claim, registry.report, workshop.heartbeat_s) as lease:
        try:
            await _until(_attempt(claim, lease, registry, workshop), lease, stop)
        except LeaseLostError as error:
            log.warning("lease_lost", run_id=run_id, reason=str(error))
            if str(error) == _RUN_ENDED:  # nobody goes on with it: its lines may have been deleted
                forget_checkpoint(workshop.directory, claim)
        except WorkerStoppingError:
            await _end(registry, claim, "QUEUED", "")
        except CancelledByUserError as error:
            await _end(registry, claim, "CANCELLED", str(error))
            forget_checkpoint(workshop.directory, claim)
        except FitFailedError as error:
            await _end(registry, claim, "FAILED", str(error))
            forget_checkpoint(workshop.directory, claim)
        else:
            forget_checkpoint(workshop.directory, claim)
    faults.reached("before-ack", run_id)


async def train_model(
    user_id: UUID, dataset: Dataset, *, claim: Claim, lease: Lease, workshop: Workshop
) -> Candidate:
    """Fine-tune a user's model on a dataset in a fresh process, and judge it on the held-out lines.

    The parent model lies in the dataset's directory. Raises FitFailedError in words for the user.
    """
    began = time.monotonic()
    (dataset.directory / RUN).write_text(json.dumps(_orders(dataset, claim, workshop)), "utf-8")
    hearing = _Hearing(lease)
    await run_child(dataset.directory, hearing.on_event, workshop.seconds)
    if hearing.failed or hearing.errors is None:
        raise FitFailedError(hearing.failed or "the training ended without a result")
    verdict = judge(hearing.errors, hearing.general, folds=hearing.folds, seed=workshop.seed)
    card = {
        "user_id": str(user_id),
        "engine": workshop.engine,
        "seed": workshop.seed,
        "epochs": hearing.progress.epoch,
        "seconds": round(time.monotonic() - began, 1),
        "skipped_lines": hearing.skipped,
        "measured_lines": len(hearing.errors),
        "cross_validated_lines": len(hearing.folds),
    }
    words = json.dumps(card | describe(claim, dataset, verdict), ensure_ascii=False)
    path = dataset.directory / CANDIDATE
    return Candidate(path, hearing.sha256, verdict, dataset.count(holdout=False), words)


async def _attempt(claim: Claim, lease: Lease, registry: Registry, workshop: Workshop) -> None:
    """Pull the ground truth, train, and publish, in a private directory that is gone afterwards."""
    with private_directory(workshop.directory) as directory:
        try:
            dataset = await save_dataset(registry.ground_truth(claim), directory)
            await save_model(registry.model(claim, claim.parent), claim.parent, directory / PARENT)
            candidate = await train_model(claim.user_id, dataset, claim=claim, lease=lease, workshop=workshop)
            faults.reached("before-upload", claim.run_id)
            await registry.publish(claim, candidate)
        except Stale as error:
            raise LeaseLostError(error.code) from error
        except (Unavailable, TimedOut) as error:
            raise WorkerStoppingError(error.code) from error
        except KetavError as error:
            log.error("training_refused", run_id=claim.run_id, code=error.code, detail=error.detail)  # noqa: TRY400
            raise FitFailedError("the training met an internal error") from error
    log.info("run_published", run_id=claim.run_id, promote=candidate.verdict.promote)


async def _until(attempt: Coroutine[Any, Any, None], lease: Lease, stop: asyncio.Event) -> None:
    """Await an attempt; abandon it, and wait until its process is gone, when lease or worker end first."""
    work = asyncio.ensure_future(attempt)
    over, stopping = asyncio.ensure_future(lease.over.wait()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, over, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (over, stopping):
            task.cancel()
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    if not work.cancelled():
        work.result()
        return
    raise lease.reason or WorkerStoppingError("the worker is stopping")


async def _end(registry: Registry, claim: Claim, state: State, verdict: str) -> None:
    """Say how the attempt ended; a registry that cannot be told finds out when the lease runs out."""
    try:
        await registry.end(claim, state, verdict)
    except KetavError as error:
        log.warning("end_not_recorded", run_id=claim.run_id, state=state, code=error.code)
    else:
        log.info("run_ended", run_id=claim.run_id, state=state, verdict=verdict)


def _orders(dataset: Dataset, claim: Claim, workshop: Workshop) -> dict[str, Any]:
    """Return what the training process is told."""
    return {
        "engine": workshop.engine,
        "seed": workshop.seed,
        "epochs": workshop.epochs,
        "replay": _path(workshop.replay),
        "general": _path(workshop.general),
        "language": _path(workshop.language),
        "memory_bytes": workshop.memory_bytes,
        "checkpoint": str(checkpoint_of(workshop.directory, claim)),
        "parent_sha256": claim.parent.sha256,
        "pages": [asdict(page) for page in dataset.pages],
    }


def _path(path: Path | None) -> str | None:
    """Write a path that may not be set."""
    return str(path) if path is not None else None


class _Hearing:
    """Takes what the training process reports and passes it on to the registry."""

    _FAILURES = {  # noqa: RUF012 - never changed
        "NothingToLearnError": "none of the corrected lines can be learnt from",
        "UnusableModelError": "the model to start from cannot be used",
        "SpoiltModelError": "the training did not make a usable model",
        "UnusableImageError": "a page of the corrected lines cannot be read",
    }

    def __init__(self, lease: Lease) -> None:
        """Take the lease that carries the reports on."""
        self._lease = lease
        self.progress = Progress()
        self.errors: list[LineErrors] | None = None
        self.folds: list[LineErrors] = []
        self.general: list[LineErrors] = []
        self.skipped = 0
        self.sha256 = ""
        self.failed = ""

    async def on_event(self, event: dict[str, Any]) -> None:
        """Take one event."""
        match event["event"]:
            case "epoch":
                self.progress = _epoch(event)
                await self._lease.report(self.progress)
            case "evaluating":
                self.progress = Progress("EVALUATING", self.progress.epoch, self.progress.epochs)
                await self._lease.report(self.progress)
            case "done":
                self.errors = [LineErrors(*line) for line in event["errors"]]
                self.folds = [LineErrors(*line) for line in event["folds"]]
                self.general = [LineErrors(*line) for line in event["general"]]
                self.skipped = int(event["skipped"])
                self.sha256 = str(event["sha256"])
            case "failed":
                self.failed = self._FAILURES.get(event["kind"], "the training met an internal error")


def _epoch(event: dict[str, Any]) -> Progress:
    """Read where the training stands."""
    loss = float(event["loss"])
    return Progress(
        epoch=int(event["epoch"]),
        epochs=int(event["epochs"]),
        loss=loss if math.isfinite(loss) else None,
        cer_base=_at_most_one(event["before"]),
        cer_candidate=_at_most_one(event["cer"]),
    )


def _at_most_one(rate: float | None) -> float | None:
    """Report a model that writes more than there is as one that errs everywhere."""
    return None if rate is None else min(1.0, rate)
