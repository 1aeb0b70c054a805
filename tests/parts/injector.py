"""Injects faults into a running system at named points, and checks that they happened."""

import asyncio
import contextlib
import os
import random
import signal
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import psutil

from tests.parts import history
from tests.parts.system_users import SystemUser
from tests.parts.world import Program, World, stopped_process

EPOCHS = 6
"""Epochs of each training; the points in epochs and at checkpoints are one of them."""
Victim = Literal["worker", "child", "registry"]
POINTS: dict[str, tuple[Victim, ...]] = {
    "before-claim": ("worker",),
    "after-claim": ("worker",),
    "in-epoch": ("worker", "child"),
    "at-checkpoint": ("worker", "child"),
    "in-evaluation": ("worker", "child"),
    "during-upload": ("worker",),
    "before-promotion": ("worker", "registry"),
    "in-promotion": ("worker", "registry"),
    "after-promotion": ("worker", "registry"),
    "before-ack": ("worker",),
}
"""The ten named points, with the processes that may be killed there."""
_IN_CHILD = ("in-epoch", "at-checkpoint", "in-evaluation")
_IN_REGISTRY = ("before-promotion", "in-promotion", "after-promotion")
_BOUND_S = 240.0


@dataclass
class Fault:
    """One fault to inject, and after its injection the processes and the run that it hit."""

    point: str
    victim: Victim
    pause: bool = False
    """Stop the worker and its child until their lease is over, instead of killing."""
    delay_s: float = 0.0
    """Seconds between the stop at the point and the kill."""
    run_id: str = ""
    at: datetime | None = None
    """When it happened, by the database's clock; None: not yet."""
    worker: Program | None = None
    pid: int = 0
    """Process id of the process that stopped at the point."""


@dataclass
class Outcome:
    """The ends of a batch of runs under faults."""

    runs: dict[str, str] = field(default_factory=dict)
    """State in which each run ended."""
    faults: list[Fault] = field(default_factory=list)
    missing: list[Fault] = field(default_factory=list)
    """Faults that could not be injected."""


def resume(pid: int) -> None:
    """Continue a stopped process, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


class Injector:
    """Runs trainings of several users and injects faults meanwhile."""

    def __init__(self, world: World, users: list[SystemUser], seed: int) -> None:
        """Take the system, its users, and the seed of all random choices."""
        self._world = world
        self._users = users
        self._random = random.Random(seed)

    def fault(self, point: str, victim: Victim, *, pause: bool = False) -> Fault:
        """Return a fault: in a random epoch where the point is in one, after a random delay."""
        exact = f"{point}-{self._random.randint(1, EPOCHS)}" if point in _IN_CHILD[:2] else point
        return Fault(exact, victim, pause, self._random.choice((0.0, 0.0, 0.05, 0.3)))

    async def batch(self, faults: list[Fault]) -> Outcome:
        """Train one run for each fault, inject all of them, and wait until every run has ended."""
        outcome = Outcome()
        armed = {self._world.request_stop(fault.point): fault for fault in faults}
        async with asyncio.timeout(_BOUND_S):
            for _ in range(4):
                runs = await self._start(len(armed))
                await self._inject(armed, runs, outcome)
                if not armed:
                    break
        for order in armed:
            order.with_suffix(".armed").unlink(missing_ok=True)
        outcome.missing = list(armed.values())
        return outcome

    async def _start(self, count: int) -> list[str]:
        """Start trainings of so many users, each from the base model."""
        runs = []
        for user in self._random.sample(self._users, count):
            await user.activate_base()
            runs.append(await user.train())
        return runs

    async def _inject(self, armed: dict[Path, Fault], runs: list[str], outcome: Outcome) -> None:
        """Act on every process that stops until all runs have ended."""
        rounds_left = 20
        while True:
            for order in list(armed):
                if (stopped := stopped_process(order)) is not None:
                    fault = armed.pop(order)
                    if await self._act(fault, *stopped):
                        outcome.faults.append(fault)
                    else:  # an orphan in its last second stopped: the stop is requested again
                        armed[self._world.request_stop(fault.point)] = fault
            states = [(await self._world.run(run_id))["state"] for run_id in runs]
            outcome.runs.update(zip(runs, states, strict=True))
            if all(state in history.ENDED for state in states):
                # A process that stops after the end of a run does so now.
                rounds_left -= 1
                if not armed or rounds_left == 0:
                    return
            await asyncio.sleep(0.03)

    async def _act(self, fault: Fault, pid_text: str, run_id: str) -> bool:
        """Kill or pause the victim, then continue the stopped process; return whether there was a victim."""
        pid = fault.pid = int(pid_text)
        await asyncio.sleep(fault.delay_s)
        fault.worker, fault.run_id = await self._worker_and_run(fault, pid, run_id)
        fault.at = await self._world.owner.fetchval("SELECT clock_timestamp()")
        if fault.victim == "registry":
            self._world.programs["registry"].kill()
            await self._world.serve("registry")
            return True
        if fault.victim == "child":
            os.kill(pid, signal.SIGKILL)
            return True
        if fault.worker is not None and fault.pause:
            fault.worker.send(signal.SIGSTOP)
            return True
        if fault.worker is not None:
            self._world.remove_worker(fault.worker)
            self._world.add_worker()
        resume(pid)
        return fault.victim != "worker" or fault.worker is not None

    async def _worker_and_run(self, fault: Fault, pid: int, run_id: str) -> tuple[Program | None, str]:
        """Return the worker of a stopped process, and its run."""
        if fault.point.startswith(_IN_REGISTRY):
            name = str((await self._world.run(run_id))["worker"])
            return self._world.worker_of(int(name.rsplit(":", 1)[1])), run_id
        worker = self._world.worker_of(
            psutil.Process(pid).ppid() if fault.point.startswith(_IN_CHILD) else pid
        )
        if worker is not None and not run_id:
            row_id = await self._world.owner.fetchval(
                "SELECT id FROM training_run WHERE worker LIKE $1 AND state IN ('running', 'evaluating')",
                f"%:{worker.pid}",
            )
            run_id = str(row_id)
        return worker, run_id
