"""The synchronous example client against a real registry."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.parts.identities import KEYS
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, correct, registry_server

PROGRAM = Path(__file__).parents[2] / "examples" / "registry_client.py"


@pytest.fixture
async def registry(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, postgres.migrated_database()) as running:
        yield running


async def run(address: str, user_id: str, key: str = KEYS["gateway"]) -> tuple[int | None, str, str]:
    """Run the example; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), address, user_id),
        env=os.environ | {"KETAV_IDENTITY_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_the_example_prints_a_user_s_projects_and_pages(registry: Registry, tmp_path: Path) -> None:
    """Two projects of one page each; a stranger has none; a forged identity is refused."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 3)
    address = f"unix:{tmp_path}/registry.sock"
    status, output, errors = await run(address, str(user_id))
    assert (status, errors) == (0, "")
    lines = output.splitlines()
    assert len(lines) == 2
    assert all(line.endswith(": 1 pages, 1 read") for line in lines)
    assert await run(address, str(uuid4())) == (0, "", "")
    status, output, errors = await run(address, str(user_id), KEYS["trainer"])
    assert (status, output) == (1, "")
    assert errors.endswith("(unauthenticated)\n")
