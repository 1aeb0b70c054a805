"""Tests that take minutes: crash loops of workers, and the guarantees at the intervals of production.

Not collected with the other tests; `make faults` names this file.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio

from tests.faults.conftest import Tally
from tests.parts import history
from tests.parts.injector import resume
from tests.parts.postgres import PostgresServer
from tests.parts.system_users import SystemUser, corrected_user
from tests.parts.world import Pace, World, world

pytestmark = pytest.mark.asyncio(loop_scope="session")
ATTEMPTS = 5
"""Claims after which a run fails."""
RELEASED_S = 45
"""Seconds from the death of a worker to the next lease, at most."""
STARTED_S = 60
"""Seconds from a lost message to the start of its run, at most."""
USERS = 4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run the system with the intervals that it has by default."""
    pace = Pace(lease=30, heartbeat=10, sweep=15)
    async with world(tmp_path_factory.mktemp("real"), postgres, workers=USERS, pace=pace) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real_users(real: World) -> list[SystemUser]:
    """Return some users whose first runs have ended."""
    corrected = [await corrected_user(real, f"user {number}") for number in range(USERS)]
    for user in corrected:
        await real.ended(await user.train())
    return corrected


async def seconds_to_claim(system: World, run_id: str, after: datetime) -> float:
    """Return the seconds from a moment to the next claim of a run."""
    claims = [claim.at for claim in history.claims(await system.changes(), run_id) if claim.at > after]
    return (claims[0] - after).total_seconds()


async def test_a_killed_worker_s_run_is_leased_again_within_45_seconds(
    real: World, real_users: list[SystemUser], tally: Tally
) -> None:
    """Lease 30 s, sweep 15 s: four workers are killed in an epoch at once, others take over, all succeed."""
    stops = [real.request_stop("in-epoch-3") for _ in real_users]
    runs: list[str] = []
    moments: dict[str, datetime] = {}
    for user in real_users:
        await user.activate_base()
        runs.append(await user.train())
    trainings = [await real.stopped(stop) for stop in stops]
    for run_id in runs:
        name = str((await real.run(run_id))["worker"])
        worker = real.worker_of(int(name.rsplit(":", 1)[1]))
        assert worker is not None
        real.remove_worker(worker)
        moments[run_id] = await real.owner.fetchval("SELECT clock_timestamp()")
        real.add_worker()
    for pid in trainings:
        resume(pid)  # its worker has ended, so it ends
    for run_id in runs:
        assert (await real.ended(run_id))["state"] == "succeeded"
        seconds = await seconds_to_claim(real, run_id, moments[run_id])
        tally.add("workers killed at the intervals of production (30/10/15 s)")
        tally.time("from SIGKILL to the next lease at 30/10/15 s", seconds)
        assert seconds <= RELEASED_S
    assert await real.orphans() == []


async def test_a_lost_message_s_run_starts_within_60_seconds(
    real: World, real_users: list[SystemUser], tally: Tally
) -> None:
    """Sweep 15 s: the runs are queued while the queue is killed, which comes back empty."""
    real.queue.stop()
    runs: list[str] = []
    moments: dict[str, datetime] = {}
    for user in real_users:
        await user.activate_base()
        runs.append(await user.train())
        moments[runs[-1]] = (await real.run(runs[-1]))["created_at"]
    real.queue.start()
    for run_id in runs:
        assert (await real.ended(run_id))["state"] == "succeeded"
        seconds = await seconds_to_claim(real, run_id, moments[run_id])
        tally.add("messages lost at the intervals of production (30/10/15 s)")
        tally.time("from a lost message to the start at 30/10/15 s", seconds)
        assert seconds <= STARTED_S
    assert history.violations(await real.changes()) == []


async def test_a_run_that_kills_every_worker_fails(
    system: World, users: list[SystemUser], tally: Tally
) -> None:
    """Five workers die after their claim: FAILED with a reason, and no sixth claims it."""
    user = users[0]
    await user.activate_base()
    stop = system.request_stop("after-claim")
    run_id = await user.train()
    for left in reversed(range(ATTEMPTS)):
        pid = await system.stopped(stop)
        stop = system.request_stop("after-claim") if left else stop
        worker = system.worker_of(pid)
        assert worker is not None
        system.remove_worker(worker)
        system.add_worker()
    row = await system.ended(run_id)
    assert (row["state"], row["attempts"]) == ("failed", ATTEMPTS)
    assert "interrupted 5 times" in row["verdict"]
    tally.add("runs that killed five workers, FAILED with a reason")
    assert await system.orphans() == []
    assert history.violations(await system.changes()) == []
