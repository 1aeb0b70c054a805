"""Keeping a claimed run: a heartbeat beside the training, and the reasons to let go of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Self

from ketav_common.errors import KetavError, TimedOut, Unavailable
from ketav_common.logging import get_logger
from ketav_trainer.domain import CancelledByUserError, Claim, LeaseLostError, Progress

log = get_logger()

Report = Callable[[Claim, Progress], Awaitable[bool]]
"""Renews a lease with the run's progress; returns whether the user wants the run cancelled."""


class Lease:
    """Renews a claim's lease every `interval_s` seconds while it is entered.

    `over` is set as soon as the run must be let go of, with the reason in `reason`: the user cancelled it, it
    is somebody else's, or the registry was away until the lease ran out.
    """

    def __init__(self, claim: Claim, report: Report, interval_s: float) -> None:
        """Take the claim, who hears the heartbeat, and the seconds between two."""
        self._claim = claim
        self._report = report
        self._interval_s = interval_s
        self._progress = Progress()
        self._until = time.monotonic() + claim.lease_s
        self._one_at_a_time = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self.over = asyncio.Event()
        self.reason: CancelledByUserError | LeaseLostError | None = None

    async def __aenter__(self) -> Self:
        """Begin the heartbeat."""
        self._beating = asyncio.get_running_loop().create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the heartbeat."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def report(self, progress: Progress) -> None:
        """Record progress now; later heartbeats repeat the state and the epoch."""
        self._progress = replace(progress, loss=None, cer_base=None, cer_candidate=None)
        await self._renew(progress)

    async def _beat(self) -> None:
        """Renew the lease until the run has to be let go of."""
        while not self.over.is_set():
            await asyncio.sleep(min(self._interval_s, max(0.05, self._until - time.monotonic())))
            await self._renew(self._progress)

    async def _renew(self, progress: Progress) -> None:
        """Report once; the registry's absence is borne until the lease ends, a refusal ends it."""
        async with self._one_at_a_time:
            asked = time.monotonic()
            try:
                cancel = await self._report(self._claim, progress)
            except (Unavailable, TimedOut) as error:
                log.warning("heartbeat_failed", run_id=self._claim.run_id, code=error.code)
                if time.monotonic() >= self._until:
                    self._let_go(LeaseLostError("the registry was away until the lease ended"))
            except KetavError as error:
                log.warning("lease_refused", run_id=self._claim.run_id, code=error.code)
                self._let_go(LeaseLostError(error.code))
            else:
                self._until = asked + self._claim.lease_s
                if cancel:
                    self._let_go(CancelledByUserError("cancelled by the user"))

    def _let_go(self, reason: CancelledByUserError | LeaseLostError) -> None:
        """Note the first reason."""
        if self.reason is None:
            self.reason = reason
            self.over.set()
