"""Valkey emptied and killed while runs are queued: PostgreSQL is the truth, every run ends (R3)."""

import signal
import time

import pytest

from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.learners import Learner
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("fault", ["emptied", "killed and started again empty"])
async def test_runs_whose_messages_are_gone_all_end(
    system: World, learners: list[Learner], tally: Tally, fault: str
) -> None:
    """Nobody hears the bell, the queue forgets it: the sweep rings again for each run."""
    for _ in range(count("QUEUES", 1)):
        for worker in system.workers:
            worker.send(signal.SIGSTOP)
        runs = []
        for learner in learners:
            await learner.forget()
            runs.append(await learner.train())
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
            claimed = history.claims(await system.happened(), run_id)[0]
            assert claimed.fields["attempts"] == 1
        tally.time(f"until all runs had ended after Valkey was {fault}", time.monotonic() - began)
    assert history.violations(await system.happened()) == []
