"""The policy of automatic training: when the registry queues a run that no user has started."""

from dataclasses import dataclass
from datetime import timedelta

from ketav_registry.domain.training import MIN_LINES, LastRun

MAX_AGE = timedelta(days=7)
"""Age of the last run after which a single new verified line is enough for another one."""
_RUN_LINES = (16, 32, 64, 128, 256)
"""Verified lines at which a run is due. The published gain grows with the logarithm of the lines (see
`training_readiness`): each doubling adds the same."""
_STEP_LINES = 128
"""New verified lines for a run beyond the last of `_RUN_LINES`, where the next doubling would need
hundreds of lines."""


@dataclass(frozen=True, slots=True)
class TrainingPolicy:
    """A user's settings: whether runs start automatically, and the minimum time between two of them."""

    automatic: bool = True
    minimum_gap: timedelta = timedelta(minutes=5)


def next_run_lines(last_lines: int) -> int:
    """Return the number of verified lines at which the next run is due; before the first, pass 0."""
    if last_lines == 0:
        return MIN_LINES
    return next((lines for lines in _RUN_LINES if lines > last_lines), last_lines + _STEP_LINES)


def warrants_run(lines: int, last_run: LastRun | None) -> bool:
    """Return whether the number of verified lines of a hand warrants a run, whatever the user's policy.

    The first run needs 16 lines. The next one is due at each doubling up to 256 lines, then after every 128
    lines, and a week after the last run if lines were added.
    """
    if last_run is None or lines < MIN_LINES:
        return lines >= MIN_LINES
    return lines >= next_run_lines(last_run.lines) or (last_run.age >= MAX_AGE and lines > last_run.lines)


def is_due(
    lines: int,
    last_run: LastRun | None,
    policy: TrainingPolicy,
    since_last_run: timedelta | None = None,
) -> bool:
    """Return whether the registry queues a run now: the lines warrant one and the user's policy allows it.

    `since_last_run` is the age of the user's last run of any hand; the minimum gap counts from there.
    """
    gap_passed = since_last_run is None or since_last_run >= policy.minimum_gap
    return policy.automatic and gap_passed and warrants_run(lines, last_run)


def policy_text(policy: TrainingPolicy) -> str:
    """Return the policy as sentences for the user."""
    if not policy.automatic:
        return "Automatic training is off. A run starts only when you start one with POST /train/."
    doublings = ", ".join(str(lines) for lines in _RUN_LINES[1:])
    return (
        f"A run starts automatically at {MIN_LINES} corrected lines, then at {doublings}, then every "
        f"{_STEP_LINES} lines, or a week after the last run if lines were added. Automatic runs start at "
        f"least {duration_text(policy.minimum_gap)} apart."
    )


def duration_text(duration: timedelta) -> str:
    """Return a duration in its largest whole unit: 90 seconds, 5 minutes, 2 hours, 1 day."""
    seconds = int(duration.total_seconds())
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
    size, unit = next((unit for unit in units if seconds and seconds % unit[0] == 0), (1, "second"))
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
