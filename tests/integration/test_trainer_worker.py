"""Server, queue and worker as processes: a message may be lost, a worker may be killed, the run ends."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common import context, rpc
from ketav_common.errors import Conflict, NotFound, TimedOut
from ketav_common.identity import Identity
from ketav_testing import tiny
from tests.parts import registry_double as double
from tests.parts.identities import SIGNER, identity_keys
from tests.parts.registry_double import RegistryDouble, served
from tests.parts.valkey import Valkey, valkey

Process = asyncio.subprocess.Process
Start = Callable[..., Awaitable[Process]]


@dataclass
class System:
    """The registry's inside, the queue, a client of the front, and a way to start programs."""

    registry: RegistryDouble
    queue: Valkey
    front: Any
    start: Start
    processes: list[Process]

    async def train(self, user: UUID) -> str:
        """Ask the front for a training of a user; return the run's id."""
        with rpc.raise_ketav_errors(), context.bind(identity=Identity("user", user)):
            answer = await self.front.StartTraining(trainer_pb2.StartTrainingRequest(), timeout=10)
        return str(answer.run.run_id)

    async def watch(self, user: UUID, run_id: str, after: int = 0, seconds: float = 30) -> list[Any]:
        """Follow a run to its end and return what was sent."""
        request = trainer_pb2.WatchTrainingRequest(run_id=run_id, after_revision=after)
        with rpc.raise_ketav_errors(), context.bind(identity=Identity("user", user)):
            return [answer.run async for answer in self.front.WatchTraining(request, timeout=seconds)]


@pytest.fixture
def queue() -> Iterator[Valkey]:
    """Run a Valkey server."""
    with valkey() as server:
        yield server


@pytest.fixture
async def system(tmp_path: Path, queue: Valkey) -> AsyncIterator[System]:
    """Serve a registry in memory, start the front, and stop everything in the end."""
    registry = RegistryDouble(tiny.save(), lease_s=2)
    address = f"unix:{tmp_path}/registry.sock"
    environment = os.environ | {
        **identity_keys("trainer"),
        "KETAV_REGISTRY_ADDRESS": address,
        "KETAV_REDIS_URL": queue.url,
        "KETAV_BIND": f"unix:{tmp_path}/trainer.sock",
        "KETAV_DATA_DIR": str(tmp_path),
        "KETAV_ENGINE": "tiny",
        "KETAV_HEARTBEAT_SECONDS": "0.3",
        "KETAV_SWEEP_SECONDS": "1",
    }
    started: list[Process] = []

    async def start(*arguments: str, standby: bool = False) -> Process:
        """Start a program of the trainer, by default without a training process that waits."""
        settings = environment | {"KETAV_TRAINING_STANDBY": str(standby)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, env=settings, cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL
        )
        started.append(process)
        return process

    async with served(registry, address, SIGNER):
        await start("ketav_trainer.main")
        try:
            async with rpc.channel(f"unix:{tmp_path}/trainer.sock", SIGNER) as channel:
                async with asyncio.timeout(20):
                    await channel.channel_ready()
                yield System(registry, queue, trainer_pb2_grpc.TrainerServiceStub(channel), start, started)
        finally:
            for process in started:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


async def begun(system: System, run_id: str) -> None:
    """Wait until the training of a run has reported an epoch."""
    run = system.registry.runs[run_id].message
    for _ in range(1000):
        if run.epoch > 0:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the training never began")


async def test_a_training_is_queued_trained_and_watched_to_its_end(system: System) -> None:
    """Start answers with the queued run; watching it shows each state until the candidate serves."""
    await system.start("ketav_trainer.worker")
    user = uuid4()
    run_id = await system.train(user)
    seen = await system.watch(user, run_id)
    assert seen[0].run_id == run_id
    assert seen[-1].state == double.SUCCEEDED
    assert seen[-1].verdict.startswith("Promoted: ")
    revisions = [run.revision for run in seen]
    assert revisions == sorted(set(revisions))
    assert await system.watch(user, run_id, after=revisions[-1]) == []


async def test_the_server_passes_on_the_registry_s_errors_and_keeps_deadlines(system: System) -> None:
    """A second run while one is active, a foreign run, and a run that no worker trains."""
    user = uuid4()
    run_id = await system.train(user)
    with pytest.raises(Conflict):
        await system.train(user)
    with pytest.raises(NotFound):
        await system.watch(uuid4(), run_id)
    with pytest.raises(TimedOut):
        await system.watch(user, run_id, seconds=1.5)


async def test_a_server_that_stops_does_not_wait_for_its_watchers(system: System) -> None:
    """A run that no worker trains is watched; the stop ends the stream without an error, and the process."""
    user = uuid4()
    run_id = await system.train(user)
    watching = asyncio.create_task(system.watch(user, run_id, seconds=60))
    await asyncio.sleep(1)
    began = time.monotonic()
    front = system.processes[0]
    front.terminate()
    seen = await watching
    assert await asyncio.wait_for(front.wait(), 15) == 0
    assert time.monotonic() - began < 5
    assert [run.state for run in seen] == [double.QUEUED]


async def test_no_run_is_lost_while_the_queue_is_down_emptied_or_restarted(system: System) -> None:
    """Trainings are accepted without the queue; the sweep enqueues all whose message is lost."""
    runs = [await system.train(uuid4())]
    system.queue.stop()
    runs.append(await system.train(uuid4()))
    system.queue.start()
    runs.append(await system.train(uuid4()))
    system.queue.empty()
    await system.start("ketav_trainer.worker", "--beat")
    for run_id in runs:
        await system.registry.until(run_id, double.SUCCEEDED)
    system.queue.stop()
    await asyncio.sleep(0.5)
    system.queue.start()
    await system.registry.until(await system.train(uuid4()), double.SUCCEEDED)


async def test_a_killed_worker_s_run_is_trained_by_the_next_one_once(system: System) -> None:
    """SIGKILL in an epoch: the lease runs out, a sweep enqueues, one model is published, no process stays."""
    system.registry.texts = system.registry.texts * 20
    worker = await system.start("ketav_trainer.worker")
    run_id = await system.train(uuid4())
    await begun(system, run_id)
    children = psutil.Process(worker.pid).children()
    worker.kill()
    system.registry.texts = system.registry.texts[:24]
    await system.start("ketav_trainer.worker", "--beat")
    run = await system.registry.until(run_id, double.SUCCEEDED)
    assert run.message.attempts == 2
    assert len(system.registry.published) == 1
    assert psutil.wait_procs(children, timeout=5)[1] == []


async def test_a_terminated_worker_gives_its_run_back_and_ends(system: System) -> None:
    """SIGTERM in an epoch: the run is QUEUED at once and the worker ends with status 0."""
    system.registry.texts = system.registry.texts * 20
    worker = await system.start("ketav_trainer.worker", "--beat")
    run_id = await system.train(uuid4())
    await begun(system, run_id)
    worker.terminate()
    assert await asyncio.wait_for(worker.wait(), 10) == 0
    assert system.registry.runs[run_id].message.state == double.QUEUED
    assert not system.registry.published


async def test_a_paused_worker_that_wakes_up_changes_nothing(system: System) -> None:
    """SIGSTOP past the lease, another worker finishes the run, SIGCONT: no revision, no second model."""
    system.registry.texts = system.registry.texts * 20
    paused = await system.start("ketav_trainer.worker")
    run_id = await system.train(uuid4())
    await begun(system, run_id)
    paused.send_signal(signal.SIGSTOP)
    system.registry.texts = system.registry.texts[:24]
    await system.start("ketav_trainer.worker", "--beat")
    run = await system.registry.until(run_id, double.SUCCEEDED)
    revision = run.message.revision
    paused.send_signal(signal.SIGCONT)
    for _ in range(500):
        if not psutil.Process(paused.pid).children():
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    assert not psutil.Process(paused.pid).children()
    assert run.message.revision == revision
    assert len(system.registry.published) == 1


async def waiting(worker: Process) -> psutil.Process:
    """Return the training process that a worker has started ahead, when there is one."""
    for _ in range(1000):
        for child in psutil.Process(worker.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "ketav_trainer.fit_process" in child.cmdline():
                    return child
        await asyncio.sleep(0.02)
    pytest.fail("no process waits")


async def test_a_worker_keeps_a_process_for_the_next_training_and_takes_it_along(system: System) -> None:
    """Each run is trained by the process that waited, in the worker's one loop; SIGTERM ends both."""
    worker = await system.start("ketav_trainer.worker", "--beat", standby=True)
    first = await waiting(worker)
    await system.registry.until(await system.train(uuid4()), double.SUCCEEDED)
    assert first.pid != (second := await waiting(worker)).pid
    assert not first.is_running()
    await system.registry.until(await system.train(uuid4()), double.SUCCEEDED)
    assert second.pid != (third := await waiting(worker)).pid
    worker.terminate()
    assert await asyncio.wait_for(worker.wait(), 10) == 0
    assert psutil.wait_procs([third], timeout=5)[1] == []


async def test_a_killed_worker_leaves_no_process_that_waits(system: System) -> None:
    """SIGKILL of an idle worker: the process that waited ends by itself, at the latest when it has loaded."""
    worker = await system.start("ketav_trainer.worker", standby=True)
    child = await waiting(worker)
    worker.kill()
    assert psutil.wait_procs([child], timeout=30)[1] == []
