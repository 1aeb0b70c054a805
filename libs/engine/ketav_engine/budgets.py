"""Budgets of readings: how many lines and how much processor time an image of a size may take.

Noise and grain look like hundreds of lines. A reading over its budget ends early with what was found, so that
the readings of others do not wait. Processor time is counted, because a page does not become implausible when
the machine is busy.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, TypeVar

TOO_MANY_LINES: Final = "reading-too-many-lines"
"""Warning: more lines were found than the image may have; the first ones were read."""
OUT_OF_TIME: Final = "reading-out-of-time"
"""Warning: the reading took too much time; some of the lines have no text."""
_PIXELS_PER_MEGAPIXEL: Final = 1_000_000
LineT = TypeVar("LineT")


@dataclass(frozen=True, slots=True)
class PageBudgets:
    """Lines and seconds of processor time of an image: some for each one, and more for each megapixel."""

    lines: int = 100
    lines_per_megapixel: int = 25
    """An A4 page at 300 dpi may have 317: six columns of 50."""
    seconds: float = 6.0
    """Three pages of 25 lines of 1.5 megapixels were read within this time on one core."""
    seconds_per_megapixel: float = 0.5
    max_seconds: float = 25.0

    def of(self, pixels: int) -> "Budget":
        """Return the budget of an image; its time begins now."""
        megapixels = pixels / _PIXELS_PER_MEGAPIXEL
        seconds = min(self.seconds + self.seconds_per_megapixel * megapixels, self.max_seconds)
        return Budget(
            round(self.lines + self.lines_per_megapixel * megapixels), time.process_time() + seconds
        )


@dataclass(slots=True)
class Budget:
    """The budget of a reading that has begun."""

    lines: int
    """Lines that are read at most."""
    end: float
    """Processor time of this process at which the reading ends, in seconds."""
    warnings: list[str] = field(default_factory=list)
    """Codes of what the latest reading of the image has left out."""


_current: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def reading_within(budget: Budget) -> Iterator[Budget]:
    """Bound the readings in the block by a budget."""
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)


def is_out_of_time() -> bool:
    """Return whether the time of the current budget is over; False without a budget."""
    budget = _current.get()
    return budget is not None and time.process_time() >= budget.end


def warn(code: str) -> None:
    """Add a warning to the current budget once."""
    budget = _current.get()
    if budget is not None and code not in budget.warnings:
        budget.warnings.append(code)


def within_budget(lines: Sequence[LineT]) -> Sequence[LineT]:
    """Return the lines up to the number of the current budget, all without one; add a warning if it cuts."""
    budget = _current.get()
    if budget is None or len(lines) <= budget.lines:
        return lines
    warn(TOO_MANY_LINES)
    return lines[: budget.lines]


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Yield the list of the warnings that the block adds, which is complete after it."""
    budget = _current.get()
    warnings: list[str] = []
    if budget is not None:
        budget.warnings = warnings
    yield warnings
