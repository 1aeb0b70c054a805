"""Training runs and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from uuid import UUID

from ketav_registry.domain.models import Model, Script
from ketav_registry.domain.projects_hands import Hand

MIN_LINES = 16
"""Verified lines of a hand that a run needs: the smallest number for which a gain is published (Kohút and
Hradiš, arXiv 2302.06308)."""
MAX_ATTEMPTS = 5
"""Claims of a run after which it fails, so that a run that kills its workers comes to an end."""


class RunState(StrEnum):
    """State of a training run; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


LEASED_STATES = (RunState.RUNNING, RunState.EVALUATING)
"""States in which a worker holds a lease of the run."""
ACTIVE_STATES = (RunState.QUEUED, *LEASED_STATES)
"""States of a run that has not ended; a user has at most one such run."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run with its current state; loss: mean CTC loss in nats per character; CER 0 to 1.

    `remaining` is the estimated time of the planned epochs that are left, None while it is unknown.
    `new_base` is the base that it trains from, because the hand's model descends from an older one; None: it
    fine-tunes the hand's model. `traceparent` is the trace of the request that caused the run (W3C Trace
    Context), empty where unknown.
    """

    run_id: UUID
    user_id: UUID
    dataset_id: UUID
    state: RunState
    hand: Hand
    fence: int
    revision: int
    epoch: int
    epochs: int
    loss: float | None
    cer_base: float | None
    cer_candidate: float | None
    verdict: str
    model_version: str | None
    training_lines: int
    holdout_lines: int
    cancel_requested: bool
    attempts: int
    create_time: datetime
    update_time: datetime
    remaining: timedelta | None = None
    new_base: str | None = None
    traceparent: str = ""

    @property
    def script(self) -> Script:
        """The script whose lines it trains on."""
        return self.hand.script


@dataclass(frozen=True, slots=True)
class EpochTimes:
    """Times of an attempt: the first epoch it reported, when it did, and when the latest epoch ended."""

    first_epoch: int | None
    first_epoch_at: datetime | None
    epoch_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class FencedRun:
    """A run with the fence of a claim: the worker may change the run while no later claim exists."""

    run_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed run with its models and the length of its lease.

    `parent` is fine-tuned, `serving` reads the hand now and is compared with, `base` is the script's base.
    `own` is the model of the user's own hand, if the hand has no model of its own: it serves the hand where
    it reads the hand's lines better than the base.
    """

    run: TrainingRun
    parent: Model
    serving: Model
    base: Model
    lease: timedelta
    own: Model | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker's report about its run; a figure of None leaves the stored one unchanged."""

    state: RunState
    epoch: int
    epochs: int
    loss: float | None = None
    cer_base: float | None = None
    cer_candidate: float | None = None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a hand: the number of its verified lines, and its age.

    The lines are 0 when the run or its parent used lines that were deleted since.
    """

    lines: int
    age: timedelta


def remaining_time(state: RunState, epoch: int, epochs: int, times: EpochTimes) -> timedelta | None:
    """Estimate the time until the planned epochs are completed; None unless an epoch of a training has ended.

    An epoch is expected to take the mean time of this attempt's epochs. The time since the latest one counts.
    """
    start, latest = times.first_epoch_at, times.epoch_at
    if state is not RunState.RUNNING or times.first_epoch is None or start is None or latest is None:
        return None
    completed = epoch - times.first_epoch
    if completed < 1:
        return None
    left = (latest - start) / completed * max(0, epochs - epoch) - (times.now - latest)
    return max(timedelta(), left)


def hand_to_train(line_counts: Mapping[Hand, int], last_runs: Mapping[Hand, LastRun]) -> Hand:
    """Return the hand with most new verified lines since its last run, of those with enough lines.

    When no hand has enough lines, return the one with most, so that the caller can report how many are
    missing; the user's own hand in modern cursive when there are none at all.
    """

    def rank(hand: Hand) -> tuple[bool, int, int]:
        """Order hands by whether they have enough lines, by new lines, by all lines."""
        lines = line_counts[hand]
        last = last_runs.get(hand)
        return lines >= MIN_LINES, lines - (last.lines if last else 0), lines

    return max(line_counts, key=rank, default=Hand(Script.MODERN_CURSIVE))


def has_valid_figures(progress: Progress) -> bool:
    """Return whether all figures of a report are finite and not negative."""
    figures = [progress.loss, progress.cer_base, progress.cer_candidate]
    numbers = [progress.epoch, progress.epochs, *(figure for figure in figures if figure is not None)]
    return all(isfinite(number) and number >= 0 for number in numbers)


def too_few_lines(have: int, hand: Hand) -> str:
    """Return the sentences for the user about a hand with `have` lines, fewer than a run needs."""
    missing = MIN_LINES - have
    subject = f"the hand {hand.name!r}" if hand.name else "this script"
    return (
        f"A training run needs {MIN_LINES} corrected lines and {subject} has {have}. "
        f"Correct {missing} more line{'s' if missing != 1 else ''}."
    )
