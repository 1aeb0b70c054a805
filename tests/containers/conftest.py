"""Podman for the tests that run containers; they are skipped, with the reason, where it cannot be had."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.base_image import IMAGE, make_base_image
from tests.containers.images import ROOT, Built, build_service, build_stores
from tests.containers.podman import Podman, unavailable


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """Return Podman with the base image; its images and layers stay in `var/containers` for the next run."""
    reason = unavailable()
    if reason:
        pytest.skip(f"Podman cannot be used: {reason}.")
    folder = Path(os.environ.get("KETAV_CONTAINERS_DIR", ROOT / "var/containers")).resolve()
    podman = Podman(folder)
    podman.prepare()
    podman.close()
    podman.prepare()
    try:
        reason = _unusable(podman)
        if reason:
            pytest.skip(f"Podman cannot be used: {reason}.")
        yield podman
        left = podman.left()
    finally:
        podman.close()
    assert not any(left.values()), f"the tests left something: {left}"


def _unusable(podman: Podman) -> str | None:
    """Return why this machine cannot make the base image or run a container in a network, or None."""
    try:
        make_base_image(podman)
        podman.run("run", "--rm", "--network=bridge", IMAGE, "true")
    except (subprocess.SubprocessError, OSError, RuntimeError) as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Return a function that prints a line of figures at once, past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(line: object) -> None:
        """Print the line."""
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n  {line}")
            sys.stdout.flush()

    return write


@pytest.fixture(scope="session")
def images(podman: Podman, report: Callable[[object], None]) -> dict[str, Built]:
    """Build all images; the layers of an earlier run are used again."""
    built = [build_service(podman, name) for name in ("gateway", "registry", "recognizer", "trainer")]
    built += build_stores(podman, "postgres", "redis", "objects", "proxy")
    for one in built:
        report(one)
    return {one.name: one for one in built}
