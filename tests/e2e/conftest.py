"""A whole system on the tiny engine, and clients of two users."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser

from ketav_testing import tiny
from tests.e2e.local_system import LocalSystem, boxes, tiny_system
from tests.parts.browser import Window, chromium, unavailable
from tests.parts.correction_page import base_model


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a base model of the tiny engine that reads a letter for every shape; return its folder."""
    folder = tmp_path_factory.mktemp("models")
    table = np.resize(np.array([ord(letter) for letter in tiny.LETTERS], dtype=np.int32), tiny.CODES)
    (folder / "hebrew_base.safetensors").write_bytes(tiny.save(table))
    return folder


@pytest.fixture(scope="session")
def drawn_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a base model that reads drawn pages but for one letter; return its folder."""
    folder = tmp_path_factory.mktemp("drawn_models")
    (folder / "hebrew_base.safetensors").write_bytes(base_model())
    return folder


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[LocalSystem]:
    """Run one system for the tests of a module; it must end with status 0 after SIGTERM."""
    with tiny_system(tmp_path_factory.mktemp("system"), tiny_models).running() as running:
        yield running


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run a browser, which is installed where that is possible; skip the tests with the reason elsewhere."""
    if (reason := unavailable()) is not None:
        pytest.skip(reason)
    with chromium() as running:
        yield running


@pytest.fixture
def key(system: LocalSystem, request: pytest.FixtureRequest) -> str:
    """Return the key of a new user."""
    return system.add_user(request.node.name[:60])


@pytest.fixture
def window(browser: Browser, system: LocalSystem, key: str) -> Iterator[Window]:
    """Return a page of a signed-in user; scripts must not fail, and the policy must not be violated."""
    context = browser.new_context(viewport={"width": 1360, "height": 850}, locale="en-GB")
    opened = Window(context.new_page())
    opened.sign_in(system.url, key)
    yield opened
    context.close()
    assert opened.errors == []
