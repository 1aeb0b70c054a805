"""One running system for all fault tests, their counts, and the table at the end."""

import asyncio
import contextlib
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from ketav_common.errors import Unavailable
from tests.parts.postgres import PostgresServer
from tests.parts.system_users import SystemUser, corrected_user
from tests.parts.world import World, world

USERS = 3


@dataclass
class Tally:
    """The counts of the tests by name, printed at the end."""

    figures: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, count: int = 1) -> None:
        """Add to a count."""
        self.figures[name] += count

    def time(self, name: str, seconds: float) -> None:
        """Record a time; the longest one of a name is printed."""
        self.longest[name] = max(seconds, self.longest.get(name, 0.0))


TALLY = pytest.StashKey[Tally]()


def count(name: str, few: int) -> int:
    """Return how many runs a test makes: KETAV_FAULT_<name>, by default a few."""
    return int(os.environ.get(f"KETAV_FAULT_{name}", few))


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return the figures of this run of the tests."""
    return request.config.stash.setdefault(TALLY, Tally())


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def system(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run the system for the tests of this folder, and stop it before those of others use the processor."""
    async with world(tmp_path_factory.mktemp("world"), postgres) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def users(system: World) -> list[SystemUser]:
    """Return several users with ground truth, whose first runs have ended."""
    corrected = [await corrected_user(system, f"user {number}") for number in range(USERS)]
    for user in corrected:
        await system.ended(await user.train())
    return corrected


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def reader(system: World) -> SystemUser:
    """Start the recognizer; return a user whose pages it reads."""
    await system.serve("recognizer")
    user = SystemUser(system, await system.new_user("reader"), {})

    async def reads() -> bool:
        """Read a page once the recognizer is warm."""
        with contextlib.suppress(Unavailable):
            await user.read(0)
            return True
        return False

    await system.until(reads, "a first page read")
    return user


@pytest_asyncio.fixture(loop_scope="session")
async def reading(reader: SystemUser, tally: Tally) -> AsyncIterator[None]:
    """Read pages all the time while a test runs; every one must be read."""

    async def read_on() -> None:
        """Read page after page."""
        for seed in itertools.cycle(range(5)):
            began = time.monotonic()
            await reader.read(seed)
            tally.add("pages read while trainings and workers were killed, 0 refused")
            tally.time("a page read meanwhile", time.monotonic() - began)
            await asyncio.sleep(0.5)

    task = asyncio.create_task(read_on())
    yield
    assert not task.done(), task.exception()
    task.cancel()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print every figure that was counted."""
    tally = config.stash.get(TALLY, None)
    if tally is None:
        return
    terminalreporter.section("faults")
    for name, number in sorted(tally.figures.items()):
        terminalreporter.write_line(f"{number:6d}  {name}")
    for name, seconds in sorted(tally.longest.items()):
        terminalreporter.write_line(f"{seconds:6.1f}  seconds at most: {name}")
