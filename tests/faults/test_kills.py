"""SIGKILL at ten named points: every run ends, no model is promoted twice, no process remains."""

import pytest

from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.injector import POINTS, Fault, Injector, Victim
from tests.parts.system_users import SystemUser
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
CELLS = [(point, victim) for point, victims in POINTS.items() for victim in victims]
TOGETHER = {"worker": 3, "child": 3, "registry": 1}
"""Faults at the same time: the registry's death hits every run."""
ALLOWED_ENDS = {"worker": {"succeeded"}, "child": {"failed", "succeeded"}, "registry": {"succeeded"}}
"""The states in which a run may end; after five interruptions it fails, whatever interrupted it."""
MAX_ATTEMPTS = 5


def chunked(faults: list[Fault], size: int) -> list[list[Fault]]:
    """Return faults in groups that are injected at once."""
    return [faults[start : start + size] for start in range(0, len(faults), size)]


async def next_lease(system: World, fault: Fault) -> float | None:
    """Return the seconds from a fault to the next claim of its run, None without one."""
    claims = history.claims(await system.changes(), fault.run_id)
    after = [claim.at for claim in claims if fault.at is not None and claim.at > fault.at]
    return (after[0] - fault.at).total_seconds() if after and fault.at is not None else None


@pytest.mark.parametrize("victim", ["worker", "child"])
@pytest.mark.usefixtures("reading")
async def test_a_kill_of_worker_or_training_loses_no_run_and_disturbs_no_reading(
    system: World, users: list[SystemUser], tally: Tally, victim: Victim
) -> None:
    """The victim dies exactly there; the run ends as it may, once; pages are read all the time."""
    await kill(system, users, tally, victim)


async def test_a_kill_of_the_registry_around_the_promotion_loses_no_run(
    system: World, users: list[SystemUser], tally: Tally
) -> None:
    """Before, in and after the transaction: the run succeeds, once."""
    await kill(system, users, tally, "registry")


async def kill(system: World, users: list[SystemUser], tally: Tally, victim: Victim) -> None:
    """Kill a victim at each of its points, in KETAV_FAULT_RUNS kills, and check the history."""
    rounds = -(-count("RUNS", len(CELLS)) // len(CELLS))
    injector = Injector(system, users, seed=count("SEED", 0))
    points = [point for point, victims in POINTS.items() if victim in victims]
    if victim == "registry" and rounds == 1:
        points = ["in-promotion"]  # each costs a start of the registry; all three belong to `make faults`
    faults = [injector.fault(point, victim) for _ in range(rounds) for point in points]
    for group in chunked(faults, TOGETHER[victim]):
        outcome = await injector.batch(group)
        assert outcome.missing == []
        for fault in outcome.faults:
            tally.add(f"SIGKILL of the {fault.victim} {fault.point.rstrip('-0123456789')}")
            seconds = await next_lease(system, fault)
            if seconds is not None:
                tally.time(f"from SIGKILL of the {victim} to the next lease", seconds)
        for run_id, state in outcome.runs.items():
            tally.add(f"runs with SIGKILL of the {victim} that ended as {state}")
            attempts = (await system.run(run_id))["attempts"]
            assert state in ALLOWED_ENDS[victim] or (attempts, state) == (MAX_ATTEMPTS, "failed")
        assert await system.orphans() == []
    assert history.violations(await system.changes()) == []
