"""One running system for all fault tests, the figures they count, and the table at the end."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from tests.parts.learners import Learner, learner
from tests.parts.postgres import PostgresServer
from tests.parts.world import World, world

USERS = 5


@dataclass
class Tally:
    """What was counted: each figure under its name, printed when the tests have ended."""

    figures: Counter[str] = field(default_factory=Counter)
    longest: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, count: int = 1) -> None:
        """Count."""
        self.figures[name] += count

    def time(self, name: str, seconds: float) -> None:
        """Keep the longest time of a kind."""
        self.longest[name] = max(seconds, self.longest.get(name, 0.0))


TALLY = pytest.StashKey[Tally]()


def count(name: str, few: int) -> int:
    """Return how many runs a test makes: KETAV_FAULT_<name>, by default a few."""
    return int(os.environ.get(f"KETAV_FAULT_{name}", few))


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Return the figures of this run of the tests."""
    return request.config.stash.setdefault(TALLY, Tally())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run the system for all tests of this folder."""
    async with world(tmp_path_factory.mktemp("world"), postgres) as made:
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def learners(system: World) -> list[Learner]:
    """Return several users with ground truth, whose first runs have ended."""
    made = [await learner(system, f"user {number}") for number in range(USERS)]
    for each in made:
        await system.ended(await each.train())
    return made


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
