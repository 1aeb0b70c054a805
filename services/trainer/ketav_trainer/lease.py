"""The lease of a claimed run: its heartbeats repeat the state and the epoch."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from ketav_common.lease import Lease
from ketav_trainer.domain import Claim, Progress

Report = Callable[[Claim, Progress], Awaitable[bool]]
"""Renews a lease with the run's progress; returns whether the user has cancelled the run."""


class RunLease(Lease[Progress]):
    """The lease of a run, renewed by reports of its progress."""

    def __init__(self, claim: Claim, report: Report, interval_s: float) -> None:
        """Take the claim, the function that renews its lease, and the seconds between two heartbeats."""
        super().__init__(
            partial(report, claim),
            Progress(),
            lease_s=claim.lease_s,
            interval_s=interval_s,
            run_id=claim.run_id,
        )

    async def report(self, progress: Progress) -> None:
        """Record progress now; later heartbeats repeat the state and the epoch."""
        await self.renew(progress, later=replace(progress, loss=None, cer_base=None, cer_candidate=None))
