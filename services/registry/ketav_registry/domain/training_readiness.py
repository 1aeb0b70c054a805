"""How near a user's script is to its next training run, and what that run may gain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import exp, log, log2
from uuid import UUID

from ketav_registry.domain.ground_truth import HOLDOUT_SHARE, LineCounts
from ketav_registry.domain.models import Script
from ketav_registry.domain.training import MIN_LINES, RunState
from ketav_registry.domain.training_policy import (
    WEEK,
    TrainingPolicy,
    gap_in_words,
    next_run_lines,
    wants_run,
)

# Fine-tuning to one writer, relative fall of the CER: 25 % with 16 lines, 50 % with 256
# (Kohút and Hradiš, arXiv 2302.06308). Between them a straight line over the logarithm of the lines.
_FIRST, _LAST = 16, 256
_AT_FIRST, _AT_LAST = 0.25, 0.50
_MOST = 0.65
_PUBLISHED = (
    "An estimate from a published curve (Kohút and Hradiš, arXiv 2302.06308: 25 % fewer errors after "
    "16 lines, 50 % after 256, of other writers and scripts)"
)


class WaitReason(StrEnum):
    """Why no automatic run starts now."""

    RUN_ACTIVE = "run_active"
    AUTOMATIC_OFF = "automatic_off"
    TOO_FEW_LINES = "too_few_lines"
    TOO_FEW_NEW_LINES = "too_few_new_lines"
    MINIMUM_GAP = "minimum_gap"


class GainBasis(StrEnum):
    """What an estimate of the gain rests on."""

    PUBLISHED_CURVE = "published_curve"
    OWN_RUNS = "own_runs"


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that came to a verdict: its training lines, and the CERs on its held-out lines, 0 to 1."""

    state: RunState
    training_lines: int
    cer_base: float
    cer_candidate: float
    model_version: str | None
    parent_version: str | None


@dataclass(frozen=True, slots=True)
class ExpectedGain:
    """What the next run may gain, an estimate: the share of the CER it takes away, and where it leads."""

    relative_gain: float
    cer_now: float | None
    basis: GainBasis
    own_runs: int
    source: str

    @property
    def cer_expected(self) -> float | None:
        """CER that the next run may reach; None when the present one was not measured."""
        return None if self.cer_now is None else self.cer_now * (1 - self.relative_gain)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a script: its lines, the last run's lines and time, and what serves."""

    script: Script
    counts: LineCounts
    last_run_lines: int
    last_run_time: datetime | None
    past_runs: Sequence[PastRun]
    serving: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The time by the database clock, the user's policy, active run, and last run of any script."""

    now: datetime
    policy: TrainingPolicy
    active_run: UUID | None
    last_any: datetime | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """How near a script is to its next run; `wait_reason` None means that the next sweep queues one."""

    standing: Standing
    next_run_lines: int
    not_before: datetime | None
    wait_reason: WaitReason | None
    reason: str
    gain: ExpectedGain

    @property
    def missing_lines(self) -> int:
        """Lines missing until the next run is due by their number."""
        return max(0, self.next_run_lines - self.standing.counts.verified)


def readiness(standing: Standing, calendar: Calendar) -> Readiness:
    """Say how near a script is to its next run, and why it does not start now."""
    following = next_run_lines(standing.last_run_lines)
    not_before = _not_before(standing, calendar)
    wait_reason = _wait_reason(standing, calendar, not_before)
    reason = _in_words(wait_reason, standing, calendar, not_before)
    gain = expected_gain(standing, max(following, standing.counts.verified))
    return Readiness(standing, following, not_before, wait_reason, reason, gain)


def _wants_run(standing: Standing, calendar: Calendar) -> bool:
    """Say whether the script's lines ask for a run."""
    when = standing.last_run_time
    last = None if when is None else (standing.last_run_lines, calendar.now - when)
    return wants_run(standing.counts.verified, last)


def _not_before(standing: Standing, calendar: Calendar) -> datetime | None:
    """Return when a run starts by itself at the earliest with the lines there are; None: never."""
    if not calendar.policy.automatic:
        return None
    gap_over = calendar.now if calendar.last_any is None else calendar.last_any + calendar.policy.minimum_gap
    if _wants_run(standing, calendar):
        return max(calendar.now, gap_over)
    least = max(MIN_LINES, standing.last_run_lines + 1)
    if standing.last_run_time is None or standing.counts.verified < least:
        return None
    return max(standing.last_run_time + WEEK, gap_over)


def _wait_reason(standing: Standing, calendar: Calendar, not_before: datetime | None) -> WaitReason | None:
    """Say why no run starts now, the strongest reason first."""
    if calendar.active_run is not None:
        return WaitReason.RUN_ACTIVE
    if not calendar.policy.automatic:
        return WaitReason.AUTOMATIC_OFF
    if not _wants_run(standing, calendar):
        first = standing.last_run_lines == 0
        return WaitReason.TOO_FEW_LINES if first else WaitReason.TOO_FEW_NEW_LINES
    return WaitReason.MINIMUM_GAP if not_before is not None and not_before > calendar.now else None


def _in_words(
    wait_reason: WaitReason | None, standing: Standing, calendar: Calendar, not_before: datetime | None
) -> str:
    """Return why no run starts now in words a user understands."""
    missing = next_run_lines(standing.last_run_lines) - standing.counts.verified
    lines = f"{missing} more verified line{'s' if missing != 1 else ''}"
    weekly = "" if not_before is None else f", or until {not_before:%Y-%m-%d %H:%M} UTC"
    match wait_reason:
        case WaitReason.RUN_ACTIVE:
            return "A training run of yours is active; the next one can start when it has ended."
        case WaitReason.AUTOMATIC_OFF:
            return "You have switched automatic training off; POST /train/ starts a run."
        case WaitReason.TOO_FEW_LINES:
            return f"The first run needs {MIN_LINES} verified lines: {missing} to go."
        case WaitReason.TOO_FEW_NEW_LINES:
            return f"The next run waits for {lines}{weekly}."
        case WaitReason.MINIMUM_GAP:
            gap = gap_in_words(calendar.policy.minimum_gap)
            return f"At least {gap} lie between two automatic runs: not before {not_before:%H:%M:%S} UTC."
        case None:
            return "A run is due: the next sweep queues it, within a minute."


def published_gain(lines: int) -> float:
    """Return the relative fall of the CER that was published for so many training lines, 0 to 0.65.

    Source and shape: see _FIRST. Under 16 lines it falls to nothing in proportion; past 256 it is extended.
    """
    if lines <= _FIRST:
        return _AT_FIRST * lines / _FIRST
    slope = (_AT_LAST - _AT_FIRST) / (log2(_LAST) - log2(_FIRST))
    return min(_MOST, _AT_FIRST + slope * (log2(lines) - log2(_FIRST)))


def _step(before: int, after: int) -> float:
    """Return how much ln(CER) falls by the published curve from `before` to `after` training lines."""
    return log(1 - published_gain(before)) - log(1 - published_gain(after))


def expected_gain(standing: Standing, verified_lines: int) -> ExpectedGain:
    """Estimate what a run over so many verified lines takes off the CER of the serving model.

    The published curve gives the step from the last run's lines to these; a user's own runs scale it by
    what they gained against what the curve said they would (a rejected run gained nothing).
    """
    lines = round(verified_lines * (1 - HOLDOUT_SHARE))
    runs = [run for run in standing.past_runs if run.cer_base > 0]
    step = _step(round(standing.last_run_lines * (1 - HOLDOUT_SHARE)), lines)
    before = [0, *(run.training_lines for run in runs)]
    said = sum(max(0.0, _step(few, run.training_lines)) for few, run in zip(before, runs, strict=False))
    now = _cer_now(standing)
    beyond = f", extended to {lines} lines" if lines > _LAST else ""
    if said <= 0:
        gain = 1 - exp(-max(0.0, step))
        return ExpectedGain(gain, now, GainBasis.PUBLISHED_CURVE, 0, f"{_PUBLISHED}{beyond}.")
    factor = sum(_gained(run) for run in runs) / said
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    source = f"{_PUBLISHED}{beyond}, scaled by {factor:.2f}: by what your {count} gained."
    gain = 1 - exp(-max(0.0, factor * step))
    return ExpectedGain(gain, now, GainBasis.OWN_RUNS, len(runs), source)


def _gained(run: PastRun) -> float:
    """Return how much ln(CER) fell by a run: nothing by a rejected one, a hundredfold at most (CER 0)."""
    if run.state is not RunState.SUCCEEDED:
        return 0.0
    return max(0.0, log(run.cer_base / max(run.cer_candidate, 0.01 * run.cer_base)))


def _cer_now(standing: Standing) -> float | None:
    """Return what the last run measured of the model that serves now; None when it measured others."""
    for run in reversed(standing.past_runs):
        if run.state is RunState.SUCCEEDED and run.model_version == standing.serving:
            return run.cer_candidate
        if run.parent_version == standing.serving:
            return run.cer_base
    return None
