"""SIGTERM, full memory and crash loops: a run continues from its checkpoint, or fails with a reason."""

import os
import signal
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from tests.faults.conftest import Tally, count
from tests.parts.injector import EPOCHS, resume
from tests.parts.system_users import SystemUser
from tests.parts.world import Program, World

pytestmark = pytest.mark.asyncio(loop_scope="session")
CRASH = "import os, sys\nif 'ketav_trainer.fit_process' in sys.orig_argv:\n    os._exit(3)\n"
"""Ends every training process before it has begun."""


@pytest_asyncio.fixture(loop_scope="session")
async def alone(system: World) -> AsyncIterator[World]:
    """Remove the workers for a test that starts its own, and add them again afterwards."""
    count_before = len(system.workers)
    for worker in list(system.workers):
        system.remove_worker(worker)
    yield system
    for worker in list(system.workers):
        system.remove_worker(worker)
    for _ in range(count_before):
        system.add_worker()


async def test_a_terminated_worker_s_run_continues_from_its_checkpoint(
    system: World, users: list[SystemUser], tally: Tally
) -> None:
    """SIGTERM in epoch 4 of 6: QUEUED at once; the next attempt reports epochs 4 to 6 and no earlier one."""
    for number in range(count("STOPS", 1)):
        user = users[number % len(users)]
        await user.activate_base()
        stop = system.request_stop(f"in-epoch-{EPOCHS - 2}")
        run_id = await user.train()
        child = await system.stopped(stop)
        await system.until(partial(reported, system, run_id, EPOCHS - 3), "the report of three epochs")
        worker = await worker_of(system, run_id)
        worker.send(signal.SIGTERM)
        assert (await system.ended(run_id))["state"] == "succeeded"
        assert worker.process is not None
        assert worker.process.wait(60) == 0
        resume(child)
        system.remove_worker(worker)
        system.add_worker()
        first, second = await epochs(system, run_id)
        assert first == [1, 2, 3]
        assert second == [4, 5, 6]
        tally.add("SIGTERM in epoch 4 of 6: epochs 4 to 6 were done by the next worker, 1 to 3 once")


async def reported(system: World, run_id: str, epoch: int) -> bool:
    """Return whether a run's epoch has been reported."""
    return bool((await system.run(run_id))["epoch"] >= epoch)


async def worker_of(system: World, run_id: str) -> Program:
    """Return the worker that has claimed a run."""
    name = str((await system.run(run_id))["worker"])
    worker = system.worker_of(int(name.rsplit(":", 1)[1]))
    assert worker is not None
    return worker


async def epochs(system: World, run_id: str) -> list[list[int]]:
    """Return the epochs that were reported finished, for each attempt."""
    rows = [
        change.fields
        for change in await system.changes()
        if change.name == "training_run" and change.fields["id"] == run_id and change.fields["epoch"]
    ]
    fences = sorted({row["fence"] for row in rows})
    return [sorted({row["epoch"] for row in rows if row["fence"] == fence}) for fence in fences]


async def test_a_training_that_runs_out_of_memory_or_cannot_start_fails_with_a_reason(
    alone: World, users: list[SystemUser], tally: Tally
) -> None:
    """RLIMIT_AS, and a crash at the start: one attempt each, FAILED with a reason, and the worker lives."""
    broken = alone.folder / "broken"
    broken.mkdir(exist_ok=True)
    (broken / "sitecustomize.py").write_text(CRASH)
    path = f"{broken}:{os.environ.get('PYTHONPATH', '')}"
    memory = {"KETAV_TRAINING_MEMORY_BYTES": str(200 * 2**20)}
    cases = {
        "The training ran out of memory. Start it again later.": memory,
        "The training ended with an internal error. Try again later.": {"PYTHONPATH": path},
    }
    for verdict, settings in cases.items():
        worker = alone.add_worker(**settings)
        for number in range(count("STOPS", 1)):
            user = users[number % len(users)]
            await user.activate_base()
            row = await alone.ended(await user.train())
            assert (row["state"], row["verdict"], row["attempts"]) == ("failed", verdict, 1)
            assert worker.alive
            tally.add(f"FAILED with a reason, worker alive: {verdict}")
        alone.remove_worker(worker)
