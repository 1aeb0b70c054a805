"""When training runs are queued without being asked for."""

from dataclasses import dataclass
from datetime import timedelta

from ketav_registry.domain.training import MIN_LINES

WEEK = timedelta(days=7)
_LADDER = (16, 32, 64, 128, 256)
_STEP = 128

# The last run of a script: how many verified lines it had, and how old it is.
LastRun = tuple[int, timedelta]


@dataclass(frozen=True, slots=True)
class TrainingPolicy:
    """What a user has set: whether runs are queued by themselves, and the least time between two of them."""

    automatic: bool = True
    minimum_gap: timedelta = timedelta(minutes=5)


def next_run_lines(tried: int) -> int:
    """Return at how many verified lines the run after one with `tried` lines is due (0: there was none)."""
    if tried == 0:
        return MIN_LINES
    return next((rung for rung in _LADDER if rung > tried), tried + _STEP)


def wants_run(have: int, last: LastRun | None) -> bool:
    """Say whether the `have` verified lines of a script ask for a run.

    One is asked for first at 16 lines and never with fewer, then at each doubling of the last run's lines up
    to 256, then every 128 lines, and after a week when lines were added.
    """
    if last is None or have < MIN_LINES:
        return have >= MIN_LINES
    tried, age = last
    return have >= next_run_lines(tried) or (age >= WEEK and have > tried)


def is_due(
    have: int, last: LastRun | None, policy: TrainingPolicy, since_any: timedelta | None = None
) -> bool:
    """Say whether a run is queued now: the lines ask for one, and the user's policy allows it.

    `since_any` is the age of the user's last run of any script; the minimum gap counts from there.
    """
    rested = since_any is None or since_any >= policy.minimum_gap
    return policy.automatic and rested and wants_run(have, last)


def in_words(policy: TrainingPolicy) -> str:
    """Return the whole policy in words a user understands."""
    if not policy.automatic:
        return "Automatic training is off: a run starts only when you ask for one."
    ladder = ", ".join(str(rung) for rung in _LADDER[1:])
    return (
        f"A run starts by itself at {MIN_LINES} verified lines, then at {ladder}, then every {_STEP} lines, "
        f"or a week after the last run when lines were added; at least {gap_in_words(policy.minimum_gap)} "
        "lie between the starts of two automatic runs."
    )


def gap_in_words(gap: timedelta) -> str:
    """Return a length of time in its largest whole unit: 90 seconds, 5 minutes, 2 hours, 1 day."""
    seconds = int(gap.total_seconds())
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
    size, unit = next((found for found in units if seconds and seconds % found[0] == 0), (1, "second"))
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
