"""What the trainer does for its callers: starting, following and looking after training runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, Protocol

from ketav.registry.v1 import training_pb2, training_pb2_grpc
from ketav_common import rpc
from ketav_common.errors import TimedOut, Unavailable
from ketav_common.logging import get_logger
from ketav_trainer.convert import ENDED
from ketav_trainer.registry import Registry

log = get_logger()

_CALL_S: Final = 5.0
_POLL_S: Final = 1.0
_SLOWEST_POLL_S: Final = 10.0


class Rings(Protocol):
    """Something that tells a worker of a run."""

    def ring(self, run_id: str) -> None:
        """Tell a worker; raise Unavailable when none can be told."""


async def start_training(
    request_id: str, *, runs: "training_pb2_grpc.TrainingServiceAsyncStub", bell: Rings
) -> training_pb2.TrainingRun:
    """Queue a run of the caller and ring for it; the run is committed before the bell rings.

    A bell that cannot be heard is no error: the sweep rings again. Raises Precondition too-few-lines and
    Conflict run-active as the registry says.
    """
    with rpc.translated():
        answer = await runs.CreateTrainingRun(
            training_pb2.CreateTrainingRunRequest(request_id=request_id), timeout=_CALL_S
        )
    await _ring(bell, answer.run.run_id)
    return answer.run


async def watch_training(
    run_id: str,
    after_revision: int,
    *,
    runs: "training_pb2_grpc.TrainingServiceAsyncStub",
    stopping: asyncio.Event,
) -> AsyncIterator[training_pb2.TrainingRun]:
    """Yield a run of the caller as it stands, then each later revision of it, until it has ended.

    The registry's absence is waited out; NotFound for a run that is not the caller's. It also ends when
    the server stops: the caller asks again, from the last revision it saw.
    """
    pause = _POLL_S
    seen = after_revision
    while not stopping.is_set():
        try:
            with rpc.translated():
                answer = await runs.GetTrainingRun(
                    training_pb2.GetTrainingRunRequest(run_id=run_id), timeout=_CALL_S
                )
        except (Unavailable, TimedOut) as error:
            log.warning("registry_away", code=error.code)
            pause = min(2 * pause, _SLOWEST_POLL_S)
        else:
            pause = _POLL_S
            if answer.run.revision > seen:
                seen = answer.run.revision
                yield answer.run
            if answer.run.state in ENDED:
                return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)


async def sweep_training_runs(*, registry: Registry, bell: Rings) -> None:
    """Have the registry look after abandoned and due runs, then ring for every run that waits."""
    for run_id in await registry.sweep():
        await _ring(bell, run_id)


async def _ring(bell: Rings, run_id: str) -> None:
    """Ring without making the broker's absence the caller's trouble."""
    try:
        await asyncio.to_thread(bell.ring, run_id)
    except Unavailable as error:
        log.warning("bell_not_heard", run_id=run_id, code=error.code)
