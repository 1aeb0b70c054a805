"""Training runs and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite
from uuid import UUID

from ketav_registry.domain.models import Model, Script

MIN_LINES = 16
MAX_ATTEMPTS = 5


class RunState(StrEnum):
    """Where a training run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


HELD = (RunState.RUNNING, RunState.EVALUATING)
ACTIVE = (RunState.QUEUED, *HELD)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run as it stands; loss in nats a line, CER 0 to 1."""

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


@dataclass(frozen=True, slots=True)
class Pace:
    """How an attempt's epochs went: the first one reported, when that was, and when the latest ended."""

    first_epoch: int | None
    first_epoch_at: datetime | None
    epoch_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Lease:
    """A claimed run: the fence to carry, the model to beat, the script's base, and how long it is held."""

    run: TrainingRun
    parent: Model
    base: Model
    length: timedelta


@dataclass(frozen=True, slots=True)
class Progress:
    """What a worker reports of the run it holds; None says nothing about that figure."""

    state: RunState
    epoch: int
    epochs: int
    loss: float | None = None
    cer_base: float | None = None
    cer_candidate: float | None = None


def remaining(state: RunState, epoch: int, epochs: int, pace: Pace) -> timedelta | None:
    """Estimate the time until the planned epochs are done; None: it does not train, or no epoch has ended.

    An epoch takes what this attempt's epochs took on average; the time since the latest one counts.
    """
    begun, last = pace.first_epoch_at, pace.epoch_at
    if state is not RunState.RUNNING or pace.first_epoch is None or begun is None or last is None:
        return None
    done = epoch - pace.first_epoch
    if done < 1:
        return None
    left = (last - begun) / done * max(0, epochs - epoch) - (pace.now - last)
    return max(timedelta(), left)


def chosen_script(have: Mapping[Script, int], tried: Mapping[Script, tuple[int, timedelta]]) -> Script:
    """Choose what to train: of the scripts with enough lines the one with most new ones since its last run.

    When none has enough, the one with most lines, so that the caller can say how many are missing.
    """

    def rank(script: Script) -> tuple[bool, int, int]:
        """Order scripts by enough lines, new lines, all lines."""
        lines = have[script]
        return lines >= MIN_LINES, lines - tried.get(script, (0, None))[0], lines

    return max(have, key=rank, default=Script.MODERN_CURSIVE)


def plausible(progress: Progress) -> bool:
    """Say whether the figures of a report can be stored: finite, not negative, epochs in int32."""
    figures = [progress.loss, progress.cer_base, progress.cer_candidate]
    numbers = [progress.epoch, progress.epochs, *(figure for figure in figures if figure is not None)]
    return all(isfinite(number) and number >= 0 for number in numbers)
