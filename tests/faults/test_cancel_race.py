"""Cancellation and promotion at the same time: exactly one wins."""

import asyncio
import random
from pathlib import Path

import asyncpg

from ketav.registry.v1 import training_pb2
from ketav_common import rpc
from ketav_common.errors import KetavError, Precondition, Stale
from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, claim, correct, publish, queue, registry_server


async def cancel(registry: Registry, user_id: object, run_id: str) -> None:
    """Cancel a run as its user."""
    with acting(user_id), rpc.raise_ketav_errors():  # type: ignore[arg-type]
        await registry.training.CancelTrainingRun(training_pb2.CancelTrainingRunRequest(run_id=run_id))


async def after(seconds: float, call: object) -> KetavError | None:
    """Make a call after some seconds; return the error that refused it."""
    await asyncio.sleep(seconds)
    try:
        await call  # type: ignore[misc]
    except KetavError as error:
        return error
    return None


async def test_of_cancel_and_promotion_exactly_one_wins(
    postgres: PostgresServer, tmp_path: Path, tally: Tally
) -> None:
    """The run is cancelled and nothing serves, or it has succeeded and the cancel is refused; never both."""
    jitter = random.Random(count("SEED", 0))
    database = postgres.migrated_database()
    owner = await asyncpg.connect(postgres.url(database), timeout=10)
    await history.record(owner)
    async with registry_server(postgres, tmp_path, database) as registry:
        user_id = await registry.new_user()
        with acting(user_id):
            await correct(registry, 8)
        # The winner comes later next time, so that the two stay as close as possible.
        lead = 0.0
        for _ in range(count("RACES", 50)):
            run_id = (await queue(registry, user_id)).run_id
            lease = await claim(registry, run_id)
            refused = await asyncio.gather(
                after(max(0.0, -lead), publish(registry, run_id, lease.fence)),
                after(max(0.0, lead), cancel(registry, user_id, run_id)),
            )
            state = await owner.fetchval("SELECT state FROM training_run WHERE id::text = $1", run_id)
            tally.add(f"cancel raced against promotion, ended as {state}")
            won = {"succeeded": (type(None), Precondition), "cancelled": (Stale, type(None))}
            assert tuple(map(type, refused)) == won[state]
            lead += jitter.uniform(0, 0.008) * (1 if state == "cancelled" else -1)
    assert history.violations(await history.read(owner)) == []
    await owner.close()
