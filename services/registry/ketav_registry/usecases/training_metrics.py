"""The number of unfinished training runs as a metric, from which workers are scaled.

Running runs count as well as waiting ones: a worker that trains must not look superfluous. Every registry
process exports the same number.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ketav_common.errors import KetavError
from ketav_common.logging import get_logger
from ketav_registry.repository import training_sweep
from ketav_registry.stores import Stores

UNFINISHED_RUNS = "ketav_training_runs_unfinished"
"""Name of the metric."""

log = get_logger()


class UnfinishedRuns(Collector):
    """Exports the latest count; no sample while there is none, because an old one would be misleading."""

    count: int | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric without a sample."""
        yield GaugeMetricFamily(
            UNFINISHED_RUNS, "Training runs of all users that wait for a worker or that a worker holds."
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metric, with a sample when the runs could be counted."""
        for metric in self.describe():
            if self.count is not None:
                metric.add_metric([], self.count)
            yield metric


@asynccontextmanager
async def counting_runs(
    stores: Stores, interval_s: float, metrics: CollectorRegistry = REGISTRY
) -> AsyncIterator[None]:
    """Export the metric while the block runs; the runs are counted every `interval_s` seconds."""
    unfinished = UnfinishedRuns()

    async def count() -> None:
        """Count until cancelled."""
        while True:
            unfinished.count = await _count(stores)
            await asyncio.sleep(interval_s)

    metrics.register(unfinished)
    task = asyncio.create_task(count())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        metrics.unregister(unfinished)


async def _count(stores: Stores) -> int | None:
    """Count the unfinished runs; None when PostgreSQL does not answer."""
    try:
        async with stores.database.system() as transaction:
            return await training_sweep.count_unfinished(transaction)
    except KetavError as error:
        log.warning("runs_not_counted", code=error.code)
    except Exception:
        log.exception("run_count_crashed")
    return None
