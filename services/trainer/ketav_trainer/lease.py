"""Renews the lease of a claimed run by heartbeats, and ends the attempt when the lease is lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Self

from ketav_common.errors import KetavError, TimedOut, Unavailable
from ketav_common.logging import get_logger
from ketav_trainer.domain import CancelledByUserError, Claim, LeaseLostError, Progress

log = get_logger()

_SHORTEST_PAUSE_S: Final = 0.05
"""Seconds between two renewals when the lease is about to end."""

Report = Callable[[Claim, Progress], Awaitable[bool]]
"""Renews a lease with the run's progress; returns whether the user has cancelled the run."""


class Lease:
    """Renews a claim's lease every `interval_s` seconds inside its context.

    `ended` is set as soon as the attempt must end, with the reason in `reason`: the user cancelled the run,
    another worker owns it, or the registry was unavailable until the lease ran out.
    """

    def __init__(self, claim: Claim, report: Report, interval_s: float) -> None:
        """Take the claim, the function that renews its lease, and the seconds between two heartbeats."""
        self._claim = claim
        self._report = report
        self._interval_s = interval_s
        self._progress = Progress()
        self._until = time.monotonic() + claim.lease_s
        self._one_at_a_time = asyncio.Lock()
        self._heartbeats: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        self.reason: CancelledByUserError | LeaseLostError | None = None

    async def __aenter__(self) -> Self:
        """Begin the heartbeats."""
        self._heartbeats = asyncio.get_running_loop().create_task(self._send_heartbeats())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the heartbeats."""
        if self._heartbeats is not None:
            self._heartbeats.cancel()
            await asyncio.gather(self._heartbeats, return_exceptions=True)

    async def report(self, progress: Progress) -> None:
        """Record progress now; later heartbeats repeat the state and the epoch."""
        self._progress = replace(progress, loss=None, cer_base=None, cer_candidate=None)
        await self._renew(progress)

    async def _send_heartbeats(self) -> None:
        """Renew the lease until the attempt must end."""
        while not self.ended.is_set():
            remaining = self._until - time.monotonic()
            await asyncio.sleep(min(self._interval_s, max(_SHORTEST_PAUSE_S, remaining)))
            await self._renew(self._progress)

    async def _renew(self, progress: Progress) -> None:
        """Report once: an unavailable registry is tolerated until the lease ends, a refusal ends it."""
        async with self._one_at_a_time:
            sent = time.monotonic()
            try:
                cancelled = await self._report(self._claim, progress)
            except (Unavailable, TimedOut) as error:
                log.warning("heartbeat_failed", run_id=self._claim.run_id, code=error.code)
                if time.monotonic() >= self._until:
                    self._end(LeaseLostError("the registry was unavailable until the lease ended"))
            except KetavError as error:
                log.warning("lease_refused", run_id=self._claim.run_id, code=error.code)
                self._end(LeaseLostError(error.code))
            else:
                self._until = sent + self._claim.lease_s
                if cancelled:
                    self._end(CancelledByUserError("The user cancelled the training."))

    def _end(self, reason: CancelledByUserError | LeaseLostError) -> None:
        """Record the first reason and end the attempt."""
        if self.reason is None:
            self.reason = reason
            self.ended.set()
