"""Renews a worker's lease by heartbeats, and ends the attempt when the lease is lost.

Training runs and pages of jobs are claimed alike: a claim starts a lease and has a fence, heartbeats renew
the lease, and what a worker writes after another one has claimed the work is refused: its fence is stale.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, Self, TypeVar

from ketav_common.errors import KetavError, TimedOut, Unavailable
from ketav_common.logging import get_logger

log = get_logger()

_SHORTEST_PAUSE_S: Final = 0.05
"""Seconds between two renewals when the lease is about to end."""

ProgressT = TypeVar("ProgressT")


class LeaseLostError(Exception):
    """The worker does not own what it has claimed any more."""


class CancelledByUserError(Exception):
    """The user has cancelled the work."""


class WorkerStoppingError(Exception):
    """The worker is stopping: what it has claimed goes back to the queue."""


class Lease(Generic[ProgressT]):
    """Renews a lease every `interval_s` seconds inside its context.

    `renew` reports progress and returns whether the user has cancelled the work. `ended` is set as soon as
    the attempt must end, with the reason in `reason`: the user cancelled it, another worker owns the work, or
    the registry was unavailable until the lease ran out. `renew` may raise WorkerStoppingError: the
    work is returned.
    """

    def __init__(
        self,
        renew: Callable[[ProgressT], Awaitable[bool]],
        progress: ProgressT,
        *,
        lease_s: float,
        interval_s: float,
        **labels: str,
    ) -> None:
        """Take the function that renews it, the first progress, its seconds, and labels for the log."""
        self._renew_once = renew
        self._progress = progress
        self._lease_s = lease_s
        self._interval_s = interval_s
        self._labels = labels
        self._until = time.monotonic() + lease_s
        self._one_at_a_time = asyncio.Lock()
        self._heartbeats: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        self.reason: CancelledByUserError | LeaseLostError | WorkerStoppingError | None = None

    async def __aenter__(self) -> Self:
        """Begin the heartbeats."""
        self._heartbeats = asyncio.get_running_loop().create_task(self._send_heartbeats())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the heartbeats."""
        if self._heartbeats is not None:
            self._heartbeats.cancel()
            await asyncio.gather(self._heartbeats, return_exceptions=True)

    async def renew(self, progress: ProgressT, *, later: ProgressT) -> None:
        """Report progress now; later heartbeats report `later`."""
        self._progress = later
        await self._renew(progress)

    async def guard(self, attempt: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
        """Await an attempt; abandon it, and wait until it has ended, when the lease ends or `stop` is set.

        Raises what the attempt raises, the reason why the lease has ended, or WorkerStoppingError.
        """
        work = asyncio.ensure_future(attempt)
        ended, stopping = asyncio.ensure_future(self.ended.wait()), asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({work, ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, stopping):
                task.cancel()
            if not work.done():
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled():
            work.result()
            return
        raise self.reason or WorkerStoppingError("the worker is stopping")

    async def _send_heartbeats(self) -> None:
        """Renew the lease until the attempt must end."""
        while not self.ended.is_set():
            remaining = self._until - time.monotonic()
            await asyncio.sleep(min(self._interval_s, max(_SHORTEST_PAUSE_S, remaining)))
            await self._renew(self._progress)

    async def _renew(self, progress: ProgressT) -> None:
        """Report once: an unavailable registry is tolerated until the lease ends, a refusal ends it."""
        async with self._one_at_a_time:
            sent = time.monotonic()
            try:
                cancelled = await self._renew_once(progress)
            except (Unavailable, TimedOut) as error:
                log.warning("heartbeat_failed", code=error.code, **self._labels)
                if time.monotonic() >= self._until:
                    self._end(LeaseLostError("the registry was unavailable until the lease ended"))
            except KetavError as error:
                log.warning("lease_refused", code=error.code, **self._labels)
                self._end(LeaseLostError(error.code))
            except WorkerStoppingError as error:
                self._end(error)
            else:
                self._until = sent + self._lease_s
                if cancelled:
                    self._end(CancelledByUserError("The user has cancelled the work."))

    def _end(self, reason: CancelledByUserError | LeaseLostError | WorkerStoppingError) -> None:
        """Record the first reason and end the attempt."""
        if self.reason is None:
            self.reason = reason
            self.ended.set()
