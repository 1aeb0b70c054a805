"""SIGSTOP past the lease, another worker takes over, SIGCONT: the stale worker changes nothing."""

import signal

import pytest

from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.injector import Fault, Injector, resume
from tests.parts.system_users import SystemUser
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
POINTS = ("after-claim", "in-epoch", "in-evaluation", "before-upload", "during-upload")
TOGETHER = 3
LOST_LEASE_EVENTS = {"lease_lost", "lease_refused"}
"""Events that a worker logs when it has lost a run."""


async def test_a_worker_that_was_stopped_past_its_lease_changes_nothing(
    system: World, users: list[SystemUser], tally: Tally
) -> None:
    """After another worker has ended the run the first one continues: 0 rows change."""
    injector = Injector(system, users, seed=count("SEED", 0) + 1)
    total = count("PAUSES", 3)
    faults = [injector.fault(POINTS[n % len(POINTS)], "worker", pause=True) for n in range(total)]
    spare = system.add_worker()
    for start in range(0, total, TOGETHER):
        outcome = await injector.batch(faults[start : start + TOGETHER])
        assert outcome.missing == []
        assert set(outcome.runs.values()) == {"succeeded"}
        ended = (await system.changes())[-1].number
        for fault in outcome.faults:
            await continue_worker(system, fault)
        changed = [
            change
            for fault in outcome.faults
            for change in history.of_run(await system.changes(), fault.run_id)
            if change.number > ended
        ]
        tally.add("SIGSTOP past the lease, taken over, SIGCONT", len(outcome.faults))
        tally.add("rows that a stale worker changed", len(changed))
        assert changed == []
        assert await system.orphans() == []
    assert history.violations(await system.changes()) == []
    system.remove_worker(spare)


async def continue_worker(system: World, fault: Fault) -> None:
    """Continue a worker and its training, and wait until it has noticed that it has lost the run."""
    worker = fault.worker
    assert worker is not None
    worker.send(signal.SIGCONT)
    resume(fault.pid)

    async def noticed() -> bool:
        """Read the worker's log and look for its training process."""
        return bool(LOST_LEASE_EVENTS & set(worker.events(fault.run_id))) and not worker.children()

    await system.until(noticed, "the end of the stale worker's attempt")
