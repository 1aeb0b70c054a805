"""One fault at load: users work and models are trained while it is injected again and again."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from tests.parts import history
from tests.parts.load import Load, new_load
from tests.parts.load_faults import LoadFault
from tests.parts.load_system import LoadedSystem
from tests.parts.operation_log import OperationLog, check
from tests.parts.pages import draw_page, random_lines

LEARNERS = 2
RECOVERY_S = 60.0
"""Seconds within which uploads and corrections must succeed after a fault."""
BASE = "hebrew_base-1"


@dataclass(frozen=True)
class LoadSize:
    """The load at one fault."""

    operations: int
    """Operations that are acknowledged at least."""
    users: int = 20
    healthy_s: float = 3.0
    """Seconds of load before each injection."""


@dataclass
class Outcome:
    """The figures of one fault."""

    name: str
    acknowledged: int = 0
    lost: int = 0
    duplicated: int = 0
    winners: int = 0
    unknown: int = 0
    refused: int = 0
    injections: int = 0
    runs: int = 0
    """Training runs that ended meanwhile."""
    recovery_s: float = 0.0
    slowest_s: float = 0.0
    """Seconds of the longest request."""
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)


@dataclass
class Learner:
    """A user whose model is trained again and again from the base model."""

    client: httpx.AsyncClient

    async def prepare(self) -> None:
        """Correct two pages: the letters that the user writes are others than the base model reads."""
        project = (await self.client.post("/projects/", json={"name": "learner"})).raise_for_status().json()
        for seed in range(2):
            texts = random_lines(12, seed=seed)
            fields = {"project_id": project["project_id"]}
            files = {"file": ("page.png", draw_page(texts))}
            page = (await self.client.post("/ocr/", files=files, data=fields)).raise_for_status().json()
            request = {
                **{name: page[name] for name in ("project_id", "image_id")},
                "lines": [
                    {"line_id": line["line_id"], "text": text, "confirm": True}
                    for line, text in zip(page["lines"], texts, strict=True)
                ],
            }
            (await self.client.post("/feedback/", json=request)).raise_for_status()

    async def run(self, stop: asyncio.Event) -> None:
        """Train, wait for the verdict, return to the base model; until stopped."""
        while not stop.is_set():
            with contextlib.suppress(httpx.HTTPError):
                key = {"Idempotency-Key": uuid4().hex}
                started = await self.client.post("/train/", headers=key)
                if started.is_success:
                    await self._ended(started.json()["run_id"])
                    await self.client.post(f"/models/{BASE}/activate")
            await asyncio.sleep(0.5)

    async def _ended(self, run_id: str) -> None:
        """Wait until a run has ended."""
        for _ in range(400):
            with contextlib.suppress(httpx.HTTPError):
                response = await self.client.get(f"/train/{run_id}")
                if response.is_success and response.json()["state"] in history.ENDED:
                    return
            await asyncio.sleep(0.3)


async def learners(system: LoadedSystem, number: int) -> list[Learner]:
    """Return users with corrections enough for a training."""
    keys = [await system.world.new_key("learner") for _ in range(number)]
    users = [
        Learner(
            httpx.AsyncClient(base_url=system.url, headers={"X-API-Key": key}, timeout=90, trust_env=False)
        )
        for key in keys
    ]
    for learner in users:
        (await learner.client.put("/models/policy", json={"automatic": False})).raise_for_status()
        await learner.prepare()
    return users


async def run_fault(
    system: LoadedSystem,
    fault: LoadFault,
    size: LoadSize,
    seed: int,
    folder: Path,
    trained: Sequence[Learner] = (),
) -> Outcome:
    """Inject a fault until enough operations are acknowledged; return the figures."""
    outcome = Outcome(fault.name)
    began = time.monotonic()
    before = (await system.world.changes())[-1:]
    keys = {f"user {number}": await system.world.new_key("load") for number in range(size.users)}
    load = await new_load(system.url, keys, OperationLog(folder / f"{seed}.jsonl"), seed)
    stop = asyncio.Event()
    learning = [asyncio.create_task(learner.run(stop)) for learner in trained]
    load.start()
    try:
        while load.log.count("acknowledged") < size.operations or outcome.injections < len(fault.kinds):
            await asyncio.sleep(size.healthy_s)
            load.check_alive()
            outcome.recovery_s = max(
                outcome.recovery_s, await _inject(system, fault, outcome.injections, load)
            )
            outcome.injections += 1
    finally:
        stop.set()
        await load.stop()
        await asyncio.gather(*learning)
    try:
        await _judge(load, outcome)
    finally:
        await load.close()
    await _judge_runs(system, before[0].number if before else 0, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


async def _inject(system: LoadedSystem, fault: LoadFault, number: int, load: Load) -> float:
    """Inject the next kind of a fault; return the seconds until uploads and corrections succeed again."""
    since = time.monotonic()
    async with fault.kinds[number % len(fault.kinds)](system):
        await asyncio.sleep(fault.hold_s)
    if not fault.from_begin:
        since = time.monotonic()
    while (recovery := load.recovered(since)) is None:
        load.check_alive()
        assert time.monotonic() - since < RECOVERY_S, f"no recovery within {RECOVERY_S} s: {fault.name}"
        await asyncio.sleep(0.1)
    return recovery


async def _judge(load: Load, outcome: Outcome) -> None:
    """Compare what is stored with what was acknowledged."""
    verdict = check(load.log.operations, await load.stored())
    outcome.acknowledged, outcome.unknown = verdict.acknowledged, verdict.unknown
    outcome.lost, outcome.duplicated = len(verdict.lost), len(verdict.duplicated)
    outcome.winners, outcome.refused = len(verdict.winners), verdict.refused
    outcome.slowest_s = max(operation.slowest_s for operation in load.log.operations)
    outcome.violations += verdict.violations
    internal = [
        operation
        for operation in load.log.operations
        if set(operation.statuses) & {500} or operation.outcome == "refused"
    ]
    outcome.violations += [f"answered {item.statuses}: {item.kind} {item.content}" for item in internal]


async def _judge_runs(system: LoadedSystem, after: int, outcome: Outcome) -> None:
    """Wait for the end of all runs, and check their history: promotions and generations."""

    async def idle() -> bool:
        """Look for a run that has not ended."""
        active = "SELECT count(*) FROM training_run WHERE NOT state = ANY($1)"
        return not await system.world.owner.fetchval(active, list(history.ENDED))

    await system.world.until(idle, "the end of all runs", 120)
    changes = await system.world.changes()
    outcome.violations += history.violations(changes)
    ended = {
        change.fields["id"]
        for change in changes
        if change.number > after and change.name == "training_run" and change.fields["state"] in history.ENDED
    }
    outcome.runs = len(ended)
