"""Measures the stages of a reading or a training: in child processes, which report the times."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageTime:
    """The time of one stage: its first start in nanoseconds since 1970, and its nanoseconds altogether."""

    start_ns: int
    duration_ns: int

    @property
    def seconds(self) -> float:
        """Return the duration in seconds."""
        return self.duration_ns / 1e9


StageTimes = dict[str, StageTime]
"""The times of stages by name, in the order of their starts."""

_recorded: ContextVar[StageTimes | None] = ContextVar("stage_times", default=None)


@contextmanager
def record_stages() -> Iterator[StageTimes]:
    """Record the stages inside the block; the dictionary is complete after it."""
    times: StageTimes = {}
    token = _recorded.set(times)
    try:
        yield times
    finally:
        _recorded.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Record the time of the block under a stage's name, outside `record_stages` nowhere.

    The times of a stage that runs several times, once a batch of lines, are added.
    """
    times = _recorded.get()
    if times is None:
        yield
        return
    start_ns, began = time.time_ns(), time.perf_counter_ns()
    try:
        yield
    finally:
        before = times.get(name, StageTime(start_ns, 0))
        duration_ns = before.duration_ns + time.perf_counter_ns() - began
        times[name] = StageTime(before.start_ns, duration_ns)
