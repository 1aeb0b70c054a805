"""A training process that has loaded the engine ahead waits for a run, and trains one."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ketav_common.child_process import ChildProcess
from ketav_trainer.domain import FitFailedError
from ketav_trainer.fit_messages import EngineConfig
from ketav_trainer.fit_runner import FitProcesses, run_fit
from tests.integration.test_trainer_fit_process import children, prepare
from tests.integration.test_trainer_runs import until

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
async def processes() -> AsyncIterator[FitProcesses]:
    """Start training processes of the deterministic engine; end the one that waits."""
    processes = FitProcesses(EngineConfig("tiny"), memory_bytes=0)
    yield processes
    await processes.close()
    assert not children()


async def trained_by(processes: FitProcesses, directory: Path) -> set[int]:
    """Train one run and return the ids of the processes that reported its events."""
    await asyncio.to_thread(directory.mkdir)
    seen: set[int] = set()
    last: dict[str, Any] = {}

    async def look(event: dict[str, Any]) -> None:
        """Look which process runs."""
        seen.update(child.pid for child in children())
        last.update(event)

    await run_fit(processes, prepare(directory), look, seconds=60)
    assert last["event"] == "done"
    return seen


async def test_the_process_that_waits_trains_the_next_run_and_ends(
    processes: FitProcesses, tmp_path: Path
) -> None:
    """It is the only process, and the run after it gets another one."""
    await processes.prepare()
    waiting = processes.pid
    await processes.prepare()
    assert processes.pid == waiting
    assert await trained_by(processes, tmp_path / "first") == {waiting}
    assert not children()
    assert waiting not in await trained_by(processes, tmp_path / "second")


async def test_a_process_that_died_while_it_waited_costs_no_run(
    processes: FitProcesses, tmp_path: Path
) -> None:
    """The kernel may kill it when memory is short: the run starts a process of its own."""
    await processes.prepare()
    assert processes.pid is not None
    os.kill(processes.pid, signal.SIGKILL)
    await until(lambda: processes.pid is None)
    assert len(await trained_by(processes, tmp_path / "run")) == 1


async def test_an_engine_that_cannot_be_loaded_is_reported_to_the_run(tmp_path: Path) -> None:
    """The process waits with its error, and the run fails with it; no process remains."""
    damaged = tmp_path / "language.npz"
    damaged.write_bytes(b"no language model")
    processes = FitProcesses(EngineConfig("kraken", damaged), memory_bytes=0)
    events = []

    async def collect(event: dict[str, Any]) -> None:
        """Keep an event."""
        events.append(event)

    await processes.prepare()
    await run_fit(processes, prepare(tmp_path), collect, seconds=60)
    assert events == [{"event": "failed", "kind": "UnusableModelError"}]
    assert not children()


async def test_a_process_that_cannot_be_started_ahead_is_started_for_its_run(
    processes: FitProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without room for a process now may have it later: nothing fails before there is a run."""
    with monkeypatch.context() as patched:

        async def refuse(*_: Any, **__: Any) -> ChildProcess:
            """Refuse as the kernel does without a free process."""
            raise BlockingIOError("Resource temporarily unavailable")

        patched.setattr(ChildProcess, "start", refuse)
        await processes.prepare()
    assert processes.pid is None
    assert len(await trained_by(processes, tmp_path / "run")) == 1


@pytest.mark.kraken
async def test_a_process_that_waits_has_loaded_torch() -> None:
    """Its libraries are in memory before a run comes."""
    processes = FitProcesses(EngineConfig("kraken", MODELS / "hebrew_lm.npz"), memory_bytes=0)
    await processes.prepare()
    assert processes.pid is not None
    process = psutil.Process(processes.pid)
    await until(lambda: any("libtorch" in Path(file.path).name for file in process.memory_maps()), 120)
    await processes.close()
    assert not children()


async def test_a_run_that_is_killed_while_another_process_waits_fails_alone(tmp_path: Path) -> None:
    """The run's own process is killed: the run fails with a sentence, and the next one is trained."""
    processes = FitProcesses(EngineConfig("tiny"), memory_bytes=0)

    async def kill(_: dict[str, Any]) -> None:
        """Kill the process at its first report."""
        for child in children():
            os.kill(child.pid, signal.SIGKILL)

    await processes.prepare()
    with pytest.raises(FitFailedError, match="The training was killed"):
        await run_fit(processes, prepare(tmp_path, lines=100), kill, seconds=60)
    assert len(await trained_by(processes, tmp_path / "next")) == 1
