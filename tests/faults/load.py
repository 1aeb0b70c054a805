"""Faults at load: 2,000 acknowledged operations of 20 users for each fault.

Not collected with the other tests; `make faults-load` names this file. KETAV_FAULT_LOAD is the number of
operations, KETAV_FAULT_SEED the first number of the pages. `-k` chooses faults; the figures of all that have
run are in var/faults-load.json.
"""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.faults.conftest import count
from tests.parts.load_faults import FAULTS, LoadFault
from tests.parts.load_runs import LEARNERS, Learner, LoadSize, Outcome, learners, run_fault
from tests.parts.load_system import LoadedSystem, loaded_system

pytestmark = pytest.mark.asyncio(loop_scope="session")
OPERATIONS = 2000
FIGURES = Path("var/faults-load.json")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def loaded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoadedSystem]:
    """Run the system for all faults."""
    async with loaded_system(tmp_path_factory.mktemp("load")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trained(loaded: LoadedSystem) -> AsyncIterator[list[Learner]]:
    """Return the users whose models are trained meanwhile."""
    users = await learners(loaded, LEARNERS)
    yield users
    for user in users:
        await user.client.aclose()


def store(outcome: Outcome) -> None:
    """Add the figures of a fault to the file."""
    FIGURES.parent.mkdir(exist_ok=True)
    figures = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    figures[outcome.name] = dataclasses.asdict(outcome)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False), "utf-8")
    FIGURES.with_suffix(".md").write_text("\n".join(table(figures)) + "\n", "utf-8")


def table(figures: dict[str, dict[str, Any]]) -> list[str]:
    """Return the rows of the report: a fault each."""
    head = "| fault | injected | acknowledged | lost | duplicated | keys with two answers | no answer "
    head += "| recovery, s | longest request, s | trainings |"
    rows = [head, "|---" * 10 + "|"]
    for name, row in figures.items():
        counts = [
            row[key] for key in ("injections", "acknowledged", "lost", "duplicated", "winners", "unknown")
        ]
        seconds = [f"{row[key]:.1f}" for key in ("recovery_s", "slowest_s")]
        rows.append(f"| {' | '.join(map(str, [name, *counts, *seconds, row['runs']]))} |")
    return rows


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_no_acknowledged_operation_is_lost_or_done_twice(
    loaded: LoadedSystem, trained: list[Learner], fault: LoadFault, tmp_path: Path
) -> None:
    """Each upload and correction is stored once, every run ends, and the load goes on after the fault."""
    if fault.needs_disks and not loaded.has_disks:
        pytest.skip("this user may not mount a disk in memory")
    number = count("SEED", 0) * len(FAULTS) + FAULTS.index(fault) + 1
    size = LoadSize(count("LOAD", OPERATIONS))
    outcome = await run_fault(loaded, fault, size, number, tmp_path, trained)
    store(outcome)
    assert outcome.violations == []
