"""Valkey emptied and killed while runs are queued: PostgreSQL has their state, and every run ends."""

import signal
import time

import pytest

from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.system_users import SystemUser
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("fault", ["emptied", "killed and started again empty"])
async def test_runs_whose_messages_are_lost_all_end(
    system: World, users: list[SystemUser], tally: Tally, fault: str
) -> None:
    """No worker takes the messages before the queue loses them: the sweep enqueues each run again."""
    for _ in range(count("QUEUES", 1)):
        for worker in system.workers:
            worker.send(signal.SIGSTOP)
        runs = []
        for user in users:
            await user.activate_base()
            runs.append(await user.train())
        if fault == "emptied":
            system.queue.empty()
        else:
            system.queue.stop()
            system.queue.start()
        began = time.monotonic()
        for worker in system.workers:
            worker.send(signal.SIGCONT)
        for run_id in runs:
            tally.add(f"runs queued when Valkey was {fault}")
            row = await system.ended(run_id)
            assert row["state"] == "succeeded"
            claim = history.claims(await system.changes(), run_id)[0]
            assert claim.fields["attempts"] == 1
        tally.time(f"until all runs had ended after Valkey was {fault}", time.monotonic() - began)
    assert history.violations(await system.changes()) == []
