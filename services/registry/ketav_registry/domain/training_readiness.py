"""Readiness: when the next run of a hand is due, and how much it is expected to gain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import exp, log, log2
from uuid import UUID

from ketav_registry.domain.ground_truth import HOLDOUT_SHARE, LineCounts
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.training import MIN_LINES, LastRun, RunState, too_few_lines
from ketav_registry.domain.training_policy import (
    MAX_AGE,
    TrainingPolicy,
    duration_text,
    next_run_lines,
    warrants_run,
)

# Relative reduction of the CER by fine-tuning to one writer: 25 % with 16 lines, 50 % with 256 (Kohút and
# Hradiš, arXiv 2302.06308). Between the two, the curve is a straight line over the logarithm of the lines.
_CURVE_START_LINES, _CURVE_END_LINES = 16, 256
_CURVE_START_GAIN, _CURVE_END_GAIN = 0.25, 0.50
_MAX_GAIN = 0.65
"""Relative reduction at which the extended curve stops: beyond the published lines it is not known."""
_MIN_REMAINING_CER_SHARE = 0.01
"""A run counts as leaving at least this share of the CER: the logarithm of a CER of 0 is infinite."""
_PUBLISHED_SOURCE = (
    "The estimate is from a published curve (Kohút and Hradiš, arXiv 2302.06308: 25 % fewer errors after "
    "16 lines, 50 % after 256, of other writers and scripts)"
)


class WaitReason(StrEnum):
    """Reason why no automatic run starts now."""

    RUN_ACTIVE = "run_active"
    AUTOMATIC_OFF = "automatic_off"
    TOO_FEW_LINES = "too_few_lines"
    TOO_FEW_NEW_LINES = "too_few_new_lines"
    MINIMUM_GAP = "minimum_gap"


class GainBasis(StrEnum):
    """Basis of an estimated gain: the published curve alone, or scaled by the user's own runs."""

    PUBLISHED_CURVE = "published_curve"
    OWN_RUNS = "own_runs"


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with a verdict: its training lines, and the CERs on its held-out lines, 0 to 1."""

    state: RunState
    training_lines: int
    cer_base: float
    cer_candidate: float
    model_version: str | None
    parent_version: str | None


@dataclass(frozen=True, slots=True)
class ExpectedGain:
    """Estimated relative reduction of the CER by the next run, 0 to 1, and the source of the estimate."""

    relative_gain: float
    cer_now: float | None
    basis: GainBasis
    own_runs: int
    source: str

    @property
    def cer_expected(self) -> float | None:
        """Estimated CER after the next run, 0 to 1; None when the current one was not measured."""
        return None if self.cer_now is None else self.cer_now * (1 - self.relative_gain)


@dataclass(frozen=True, slots=True)
class HandStatus:
    """The facts about a hand: line counts, last run, past runs (oldest first), and serving version."""

    hand: Hand
    counts: LineCounts
    last_run: LastRun | None
    past_runs: Sequence[PastRun]
    serving_version: str

    @property
    def last_run_lines(self) -> int:
        """Verified lines of the last run; 0 when there was none."""
        return self.last_run.lines if self.last_run else 0


@dataclass(frozen=True, slots=True)
class UserStatus:
    """The facts about a user: database time, policy, active run, and start of the last run of any hand."""

    now: datetime
    policy: TrainingPolicy
    active_run: UUID | None
    last_run_time: datetime | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Due date of the next run of a hand; `wait_reason` None: the next sweep queues one."""

    status: HandStatus
    next_run_lines: int
    not_before: datetime | None
    wait_reason: WaitReason | None
    reason: str
    gain: ExpectedGain

    @property
    def missing_lines(self) -> int:
        """Verified lines missing until the next run is due."""
        return max(0, self.next_run_lines - self.status.counts.verified)


@dataclass(frozen=True, slots=True)
class UserReadiness:
    """Readiness of each hand, most verified lines first, with the facts about the user."""

    hands: list[Readiness]
    user: UserStatus


def readiness(hand: HandStatus, user: UserStatus) -> Readiness:
    """Return when the next run of a hand is due, why it does not start now, and its estimated gain."""
    due_lines = next_run_lines(hand.last_run_lines)
    not_before = _not_before(hand, user)
    wait_reason = _wait_reason(hand, user, not_before)
    reason = _reason_text(wait_reason, hand, user, not_before)
    gain = expected_gain(hand, max(due_lines, hand.counts.verified))
    return Readiness(hand, due_lines, not_before, wait_reason, reason, gain)


def _not_before(hand: HandStatus, user: UserStatus) -> datetime | None:
    """Return the earliest time of an automatic run if no lines are added; None if there would be none."""
    if not user.policy.automatic:
        return None
    gap_end = user.now if user.last_run_time is None else user.last_run_time + user.policy.minimum_gap
    if warrants_run(hand.counts.verified, hand.last_run):
        return max(user.now, gap_end)
    min_lines = max(MIN_LINES, hand.last_run_lines + 1)
    if hand.last_run is None or hand.counts.verified < min_lines:
        return None
    return max(user.now - hand.last_run.age + MAX_AGE, gap_end)


def _wait_reason(hand: HandStatus, user: UserStatus, not_before: datetime | None) -> WaitReason | None:
    """Return why no run starts now: the first reason of those that apply."""
    if user.active_run is not None:
        return WaitReason.RUN_ACTIVE
    if not user.policy.automatic:
        return WaitReason.AUTOMATIC_OFF
    if not warrants_run(hand.counts.verified, hand.last_run):
        first = hand.last_run_lines == 0
        return WaitReason.TOO_FEW_LINES if first else WaitReason.TOO_FEW_NEW_LINES
    return WaitReason.MINIMUM_GAP if not_before is not None and not_before > user.now else None


def _reason_text(
    wait_reason: WaitReason | None, hand: HandStatus, user: UserStatus, not_before: datetime | None
) -> str:
    """Return why no run starts now, as sentences for the user."""
    missing = next_run_lines(hand.last_run_lines) - hand.counts.verified
    plural = "s" if missing != 1 else ""
    weekly = "" if not_before is None else f" Without them it starts at {not_before:%Y-%m-%d %H:%M} UTC."
    match wait_reason:
        case WaitReason.RUN_ACTIVE:
            return "One of your training runs is active. The next one can start after it has ended."
        case WaitReason.AUTOMATIC_OFF:
            return "You have switched automatic training off. POST /train/ starts a run."
        case WaitReason.TOO_FEW_LINES:
            return too_few_lines(hand.counts.verified, hand.hand)
        case WaitReason.TOO_FEW_NEW_LINES:
            return f"The next run needs {missing} more corrected line{plural}.{weekly}"
        case WaitReason.MINIMUM_GAP:
            gap = duration_text(user.policy.minimum_gap)
            start = f"{not_before:%H:%M:%S}"
            return f"Automatic runs start at least {gap} apart. The next one starts at {start} UTC."
        case None:
            return "A run is due. The next sweep queues it within a minute."


def published_gain(lines: int) -> float:
    """Return the published relative reduction of the CER for a number of training lines, 0 to 0.65.

    Source and shape: see _CURVE_START_LINES. Below 16 lines it is proportional to the lines; above 256 the
    curve is extended.
    """
    if lines <= _CURVE_START_LINES:
        return _CURVE_START_GAIN * lines / _CURVE_START_LINES
    doublings = log2(_CURVE_END_LINES) - log2(_CURVE_START_LINES)
    slope = (_CURVE_END_GAIN - _CURVE_START_GAIN) / doublings
    return min(_MAX_GAIN, _CURVE_START_GAIN + slope * (log2(lines) - log2(_CURVE_START_LINES)))


def _published_step(lines_before: int, lines_after: int) -> float:
    """Return the published difference of ln(CER) between two numbers of training lines."""
    return log(1 - published_gain(lines_before)) - log(1 - published_gain(lines_after))


def expected_gain(hand: HandStatus, verified_lines: int) -> ExpectedGain:
    """Estimate by how much a run over this many verified lines reduces the CER of the serving model.

    The published curve gives the step from the last run's lines to these. The user's own runs scale it by the
    ratio of their measured gain to the published one; a rejected run has gained nothing.
    """
    lines = round(verified_lines * (1 - HOLDOUT_SHARE))
    runs = [run for run in hand.past_runs if run.cer_base > 0]
    step = _published_step(round(hand.last_run_lines * (1 - HOLDOUT_SHARE)), lines)
    lines_before = [0, *(run.training_lines for run in runs)]
    published = sum(
        max(0.0, _published_step(before, run.training_lines))
        for before, run in zip(lines_before, runs, strict=False)
    )
    cer_now = _cer_now(hand)
    extended = f", extended to {lines} lines" if lines > _CURVE_END_LINES else ""
    if published <= 0:
        gain = 1 - exp(-max(0.0, step))
        source = f"{_PUBLISHED_SOURCE}{extended}."
        return ExpectedGain(gain, cer_now, GainBasis.PUBLISHED_CURVE, own_runs=0, source=source)
    factor = sum(_measured_step(run) for run in runs) / published
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    source = (
        f"{_PUBLISHED_SOURCE}{extended}. It is scaled by {factor:.2f}, the measured gain of your {count}."
    )
    gain = 1 - exp(-max(0.0, factor * step))
    return ExpectedGain(gain, cer_now, GainBasis.OWN_RUNS, len(runs), source)


def _measured_step(run: PastRun) -> float:
    """Return by how much a run reduced ln(CER): 0 for a rejected one, at most ln(100)."""
    if run.state is not RunState.SUCCEEDED:
        return 0.0
    return max(0.0, log(run.cer_base / max(run.cer_candidate, _MIN_REMAINING_CER_SHARE * run.cer_base)))


def _cer_now(hand: HandStatus) -> float | None:
    """Return the CER that the latest run measured of the serving model; None when no run measured it."""
    for run in reversed(hand.past_runs):
        if run.state is RunState.SUCCEEDED and run.model_version == hand.serving_version:
            return run.cer_candidate
        if run.parent_version == hand.serving_version:
            return run.cer_base
    return None
