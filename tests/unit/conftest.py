"""The gateway that most of its tests use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.gateway import Gateway, in_process_gateway


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway in front of services in memory."""
    async with in_process_gateway(tmp_path) as running:
        yield running
