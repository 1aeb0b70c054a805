"""A whole system on the tiny engine, and clients of two users."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from ketav_testing import tiny
from tests.e2e.local_system import LocalSystem, boxes, tiny_system


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a base model of the tiny engine that reads a letter for every shape; return its folder."""
    folder = tmp_path_factory.mktemp("models")
    table = np.resize(np.array([ord(letter) for letter in tiny.LETTERS], dtype=np.int32), tiny.CODES)
    (folder / "hebrew_base.safetensors").write_bytes(tiny.save(table))
    return folder


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[LocalSystem]:
    """Run one system for the tests of a module; it must end with status 0 after SIGTERM."""
    running = tiny_system(tmp_path_factory.mktemp("system"), tiny_models)
    running.start()
    try:
        yield running
    finally:
        status = running.stop()
    assert status == 0, running.printed


@pytest.fixture
def client(system: LocalSystem) -> Iterator[httpx.Client]:
    """Return a REST client of the first user."""
    with system.client() as client:
        yield client


@pytest.fixture(scope="module")
def other_client(system: LocalSystem) -> Iterator[httpx.Client]:
    """Return a REST client of another user."""
    with system.client(system.add_user("other")) as client:
        yield client


@pytest.fixture(scope="session")
def page() -> bytes:
    """Return a page of four lines of boxes, which the tiny engine reads as letters."""
    return boxes(4)
