"""Metrics of the registry about leases, fences and connections, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from ketav_common.errors import Stale
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    cancel_run,
    claim,
    create,
    expire_lease,
    publish,
    queued_run,
    read_and_correct,
    registry_server,
    report,
    sweep_runs,
)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


def value(name: str, **labels: str) -> float:
    """Return the present value of a metric of this process."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def increased(by: float, name: str, **labels: str) -> Iterator[None]:
    """Fail unless the block increases a metric by this."""
    before = value(name, **labels)
    yield
    assert value(name, **labels) - before == pytest.approx(by)


async def test_an_expired_lease_is_counted_once(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """By the sweep that returns the run to the queue; the next sweep has nothing to count."""
    _, run_id = await queued_run(registry)
    with increased(1, "ketav_training_queue_delay_seconds_count"):
        await claim(registry, run_id)
    await expire_lease(postgres, database, run_id)
    with increased(1, "ketav_lease_expiries_total"):
        assert run_id in await sweep_runs(registry)
        await sweep_runs(registry)
    with increased(0, "ketav_training_queue_delay_seconds_count"):
        await claim(registry, run_id)


async def test_a_call_with_a_stale_fence_is_counted(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """A report and a publication of the first worker, after a second one has claimed the run."""
    _, run_id = await queued_run(registry)
    await claim(registry, run_id)
    await expire_lease(postgres, database, run_id)
    await claim(registry, run_id)
    with increased(2, "ketav_fence_rejections_total"):
        with pytest.raises(Stale):
            await report(registry, run_id, 1)
        with pytest.raises(Stale):
            await publish(registry, run_id, 1)


async def test_the_end_of_a_run_is_counted_by_outcome(registry: Registry) -> None:
    """A cancelled run that waited in the queue, and a run whose model is promoted."""
    duration = "ketav_training_run_duration_seconds_count"
    user_id, waiting = await queued_run(registry)
    with increased(1, duration, outcome="cancelled"):
        await cancel_run(registry, user_id, waiting)
    _, run_id = await queued_run(registry)
    await claim(registry, run_id)
    with increased(1, duration, outcome="succeeded"):
        await publish(registry, run_id, 1)
        await publish(registry, run_id, 1)


async def test_the_first_correction_of_a_line_is_compared_with_its_reading(registry: Registry) -> None:
    """One of four letters is wrong; a second correction of the line does not count again."""
    labels = {"script": "modern_cursive"}
    with (
        acting(await registry.new_user()),
        increased(0.25, "ketav_correction_cer_ratio_sum", **labels),
        increased(1, "ketav_correction_cer_ratio_count", **labels),
    ):
        await read_and_correct(registry, ["שלוס"], {0: "שלום"})


async def test_a_transaction_takes_a_connection_of_the_pool(registry: Registry) -> None:
    """After it the connection is idle; the pool may open ten."""
    with acting(await registry.new_user()):
        await create(registry)
    assert value("ketav_database_connections", state="idle") >= 1
    assert value("ketav_database_connections", state="busy") == 0
    assert value("ketav_database_connections_limit") == 15
