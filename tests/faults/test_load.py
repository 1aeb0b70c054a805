"""A sample of the faults at load: `make faults-load` injects all of them, at a greater load."""

import random
from pathlib import Path

import pytest

from tests.faults.conftest import Tally, count
from tests.parts.load_faults import FAULTS
from tests.parts.load_runs import LoadSize, run_fault
from tests.parts.load_system import loaded_system

pytestmark = pytest.mark.asyncio(loop_scope="function")
SIZE = LoadSize(operations=20, users=4, healthy_s=1.0)
SHORT_S = 3.0
"""Faults that last longer belong to `make faults-load`, and so do those of several kinds."""


async def test_a_sample_of_faults_at_load_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, tally: Tally
) -> None:
    """KETAV_FAULT_SEED chooses one fault of a store or the network, and one killed service."""
    chance = random.Random(count("SEED", 0))
    short = [
        fault
        for fault in FAULTS
        if fault.hold_s <= SHORT_S and len(fault.kinds) == 1 and not fault.needs_disks
    ]
    sample = [
        chance.choice([fault for fault in short if fault.from_begin == restarts])
        for restarts in (True, False)
    ]
    async with loaded_system(tmp_path, workers=0) as system:
        for number, fault in enumerate(sample, 1):
            outcome = await run_fault(system, fault, SIZE, number, tmp_path)
            assert outcome.violations == []
            assert outcome.acknowledged >= SIZE.operations
            tally.add(f"operations acknowledged at the fault: {fault.name}", outcome.acknowledged)
            tally.time(f"recovery after the fault: {fault.name}", outcome.recovery_s)
