"""The loop of a worker: it claims pages while there are any, and sweeps on a schedule of its own.

Neither needs the message queue: while that is unavailable, the sweep starts the jobs.
"""

import asyncio
from contextlib import suppress
from typing import Final

from ketav_common.errors import KetavError
from ketav_common.logging import get_logger
from ketav_recognizer import metrics
from ketav_recognizer.jobs import Dependencies, read_job_page

log = get_logger()

_PAUSE_S: Final = 2.0
"""Seconds after a page that no service could read, or after a refused claim, until the next claim."""


class JobLoop:
    """Reads pages of jobs until it is stopped. All methods but `wake` and `stop` belong to one event loop."""

    def __init__(self, dependencies: Dependencies, *, pages_at_once: int, sweep_s: float) -> None:
        """Take what reading needs, the number of pages that are read at once, and the seconds of a sweep."""
        self._dependencies = dependencies
        self._pages_at_once = pages_at_once
        self._sweep_s = sweep_s
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """Claim now; called from any thread."""
        self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Claim nothing more; called from any thread, also after the loop has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
            self.wake()

    async def run(self, drain_s: float) -> None:
        """Read pages until `stop`; then finish those that are being read, at most for `drain_s` seconds.

        Raises the exception of a task that has failed: the others do not do its work.
        """
        stopping = asyncio.create_task(self._stopping.wait())
        sweeping = asyncio.create_task(self._sweep())
        readers = [asyncio.create_task(self._read()) for _ in range(self._pages_at_once)]
        try:
            ended, _ = await asyncio.wait([stopping, sweeping, *readers], return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
            await asyncio.wait(readers, timeout=drain_s)
            self._dependencies.stop.set()
            await asyncio.gather(*readers)
        finally:
            for task in (stopping, sweeping, *readers):
                task.cancel()
            await asyncio.gather(stopping, sweeping, *readers, return_exceptions=True)

    async def _read(self) -> None:
        """Claim and read one page after the other; wait when there is none."""
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                claimed = await self._dependencies.client.claim()
            except KetavError as error:
                log.warning("job_page_not_claimed", code=error.code)
                await self._sleep(_PAUSE_S)
                continue
            if claimed is None:
                await self._sleep(self._sweep_s)
                continue
            with metrics.JOB_PAGES_ACTIVE.track_inprogress():
                could_read = await read_job_page(claimed, dependencies=self._dependencies)
            if not could_read:
                await asyncio.sleep(_PAUSE_S)

    async def _sleep(self, seconds: float) -> None:
        """Wait until the loop is woken, at most for some seconds."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def _sweep(self) -> None:
        """Sweep every `sweep_s` seconds until cancelled, and wake the loop when pages wait."""
        while True:
            await asyncio.sleep(self._sweep_s)
            try:
                waiting = await self._dependencies.client.sweep()
            except KetavError as error:
                log.warning("job_sweep_failed", code=error.code)
                continue
            metrics.JOB_PAGES_WAITING.set(waiting)
            if waiting:
                self._woken.set()
