"""SIGSTOP past the lease, another worker takes over, SIGCONT: the stale worker changes nothing (R4)."""

import signal

import pytest

from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.injector import Fault, Injector, go_on
from tests.parts.learners import Learner
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
POINTS = ("after-claim", "in-epoch", "in-evaluation", "before-upload", "during-upload")
TOGETHER = 3
LET_GO = {"lease_lost", "lease_refused"}
"""What a worker logs that finds its run gone."""


async def test_a_worker_that_slept_past_its_lease_changes_nothing(
    system: World, learners: list[Learner], tally: Tally
) -> None:
    """After another worker has ended the run the first one wakes up: 0 rows change."""
    injector = Injector(system, learners, seed=count("SEED", 0) + 1)
    total = count("PAUSES", 3)
    faults = [injector.fault(POINTS[n % len(POINTS)], "worker", pause=True) for n in range(total)]
    spare = system.add_worker()
    for start in range(0, total, TOGETHER):
        outcome = await injector.batch(faults[start : start + TOGETHER])
        assert outcome.missing == []
        assert set(outcome.runs.values()) == {"succeeded"}
        ended = (await system.happened())[-1].number
        for fault in outcome.faults:
            await wake(system, fault)
        changed = [
            change
            for fault in outcome.faults
            for change in history.of_run(await system.happened(), fault.run_id)
            if change.number > ended
        ]
        tally.add("SIGSTOP past the lease, taken over, SIGCONT", len(outcome.faults))
        tally.add("rows that a stale worker changed", len(changed))
        assert changed == []
        assert await system.orphans() == []
    assert history.violations(await system.happened()) == []
    system.remove_worker(spare)


async def wake(system: World, fault: Fault) -> None:
    """Let a worker and its training go on, and wait until it has noticed that the run is not its own."""
    worker = fault.worker
    assert worker is not None
    worker.send(signal.SIGCONT)
    go_on(fault.pid)

    async def noticed() -> bool:
        """Look into the worker's log and for its training."""
        return bool(LET_GO & set(worker.events(fault.run_id))) and not worker.children()

    await system.until(noticed, "the stale worker's letting go")
