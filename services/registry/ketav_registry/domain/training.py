"""Training runs and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from uuid import UUID

from ketav_registry.domain.models import Model, Script

MIN_LINES = 16
"""Verified lines of a script that a run needs: the smallest number for which a gain is published (Kohút and
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
    `traceparent` is the trace of the request that caused the run (W3C Trace Context), empty where unknown.
    """

    run_id: UUID
    user_id: UUID
    dataset_id: UUID
    state: RunState
    script: Script
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
    traceparent: str = ""


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
    """A claimed run with the model to fine-tune, its script's base model, and the length of the lease."""

    run: TrainingRun
    parent: Model
    base: Model
    lease: timedelta


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
    """The last run of a script: the number of its verified lines, and its age.

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


def script_to_train(line_counts: Mapping[Script, int], last_runs: Mapping[Script, LastRun]) -> Script:
    """Return the script with most new verified lines since its last run, of those with enough lines.

    When no script has enough lines, return the one with most, so that the caller can report how many are
    missing; modern cursive when there are none at all.
    """

    def rank(script: Script) -> tuple[bool, int, int]:
        """Order scripts by whether they have enough lines, by new lines, by all lines."""
        lines = line_counts[script]
        last = last_runs.get(script)
        return lines >= MIN_LINES, lines - (last.lines if last else 0), lines

    return max(line_counts, key=rank, default=Script.MODERN_CURSIVE)


def has_valid_figures(progress: Progress) -> bool:
    """Return whether all figures of a report are finite and not negative."""
    figures = [progress.loss, progress.cer_base, progress.cer_candidate]
    numbers = [progress.epoch, progress.epochs, *(figure for figure in figures if figure is not None)]
    return all(isfinite(number) and number >= 0 for number in numbers)


def too_few_lines(have: int) -> str:
    """Return the sentences for the user about a script with fewer corrected lines than a first run needs."""
    missing = MIN_LINES - have
    return (
        f"A training run needs {MIN_LINES} corrected lines and this script has {have}. "
        f"Correct {missing} more line{'s' if missing != 1 else ''}."
    )
