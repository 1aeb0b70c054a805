"""The trainer's use cases: starting and watching training runs, and sweeping for waiting ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from ketav.registry.v1 import training_pb2, training_pb2_grpc
from ketav_common import tracing
from ketav_common.errors import TimedOut, Unavailable
from ketav_common.identity import Identity
from ketav_common.logging import get_logger
from ketav_trainer import metrics
from ketav_trainer.convert import ENDED
from ketav_trainer.registry import RegistryClient, as_trainer

log = get_logger()

_CALL_S: Final = 5.0
"""Deadline of a call to the registry in seconds."""
_POLL_S: Final = 1.0
"""Seconds between two polls of a watched run."""
_SLOWEST_POLL_S: Final = 10.0
"""Maximum number of seconds between two polls while the registry is unavailable."""


class Enqueues(Protocol):
    """A queue of runs; `celery_app.RunQueue` is the one that workers consume."""

    def enqueue(self, run_id: str) -> None:
        """Enqueue a run; raises Unavailable when the broker is unavailable."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts that starting and watching runs needs."""

    runs: "training_pb2_grpc.TrainingServiceAsyncStub"
    queue: Enqueues
    stopping: asyncio.Event
    """Set when the server is stopping."""


async def start_training(
    user_id: UUID, new: training_pb2.CreateTrainingRunRequest, *, dependencies: Dependencies
) -> training_pb2.TrainingRun:
    """Create a run of a hand of a user, then enqueue it.

    The run is committed before it is enqueued. An unavailable broker is no error: a sweep enqueues the run
    later. Raises the registry's too-few-lines, run-active, unknown-hand, idempotency-key-reused.
    """
    with as_trainer(Identity("trainer", user_id)):
        response = await dependencies.runs.CreateTrainingRun(new, timeout=_CALL_S)
    await _enqueue(dependencies.queue, response.run.run_id)
    return response.run


async def watch_training(
    user_id: UUID, run_id: str, after_revision: int, *, dependencies: Dependencies
) -> AsyncIterator[training_pb2.TrainingRun]:
    """Yield the present state of a run of a user, then each later revision, until the run has ended.

    An unavailable registry is tolerated; NotFound for a run of another user. The stream also ends when the
    server stops: the caller asks again, from the last revision that it has received.
    """
    pause = _POLL_S
    last_revision = after_revision
    while not dependencies.stopping.is_set():
        try:
            with tracing.not_recorded(), as_trainer(Identity("trainer", user_id)):
                response = await dependencies.runs.GetTrainingRun(
                    training_pb2.GetTrainingRunRequest(run_id=run_id), timeout=_CALL_S
                )
        except (Unavailable, TimedOut) as error:
            log.warning("registry_unavailable", code=error.code)
            pause = min(2 * pause, _SLOWEST_POLL_S)
        else:
            pause = _POLL_S
            if response.run.revision > last_revision:
                last_revision = response.run.revision
                yield response.run
            if response.run.state in ENDED:
                return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(dependencies.stopping.wait(), pause)


async def sweep_training_runs(*, registry: RegistryClient, queue: Enqueues) -> None:
    """Queue abandoned and due runs in the registry, then enqueue every waiting run."""
    for run_id in await registry.sweep():
        await _enqueue(queue, run_id)


async def _enqueue(queue: Enqueues, run_id: str) -> None:
    """Enqueue a run; an unavailable broker is logged, because the next sweep enqueues the run again."""
    try:
        await asyncio.to_thread(queue.enqueue, run_id)
    except Unavailable as error:
        metrics.ENQUEUE_FAILURES.inc()
        log.warning("run_not_enqueued", run_id=run_id, code=error.code)
