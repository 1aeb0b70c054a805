"""The test engine and the fault points are refused in an environment that does not install them."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from ketav_common import extensions, faults
from ketav_common.errors import Precondition
from ketav_common.settings import BoundSettings
from ketav_engine.engines import make_engine
from ketav_recognizer.settings import RecognizerSettings
from ketav_testing.tiny import TinyEngine
from tests.parts.identities import identity_keys

SETTINGS = {**identity_keys("recognizer"), "KETAV_REGISTRY_ADDRESS": "unix:/nowhere"}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove every extension from the environment, as in the services' images."""

    def none(**_: str) -> EntryPoints:
        """Return no entry points."""
        return EntryPoints(())

    monkeypatch.setattr(extensions, "entry_points", none)
    faults._installed.cache_clear()


def test_the_tests_engine_is_an_entry_point() -> None:
    """Where `ketav-testing` is installed, `tiny` is the name of an engine."""
    assert extensions.check_engine("tiny") == "tiny"
    assert isinstance(make_engine("tiny"), TinyEngine)


@pytest.mark.usefixtures("production")
def test_an_engine_that_is_not_installed_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting and the engine's factory name the variable, the engine and what to do; Kraken stays."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    assert RecognizerSettings().engine == "kraken"
    monkeypatch.setenv("KETAV_ENGINE", "tiny")
    for use in (RecognizerSettings, lambda: make_engine("tiny")):
        with pytest.raises(
            Precondition, match="KETAV_ENGINE names the engine 'tiny', which is not installed"
        ):
            use()


@pytest.mark.usefixtures("production")
def test_a_fault_directory_without_fault_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service does not start with KETAV_FAULT_DIR; a process without settings fails at its first point."""
    faults.reached("after-claim")
    monkeypatch.setenv(faults.DIRECTORY, "/nowhere")
    for name, value in identity_keys("recognizer").items():
        monkeypatch.setenv(name, value)
    for use in (BoundSettings, lambda: faults.reached("after-claim")):
        with pytest.raises(Precondition, match="KETAV_FAULT_DIR is set, but no fault points are installed"):
            use()


def test_a_service_with_an_unknown_engine_ends_with_one_sentence() -> None:
    """The last line of the process's output says what is wrong and what to do."""
    ran = subprocess.run(
        [sys.executable, "-m", "ketav_recognizer.main"],
        env=os.environ | SETTINGS | {"KETAV_ENGINE": "crayon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode != 0
    assert ran.stderr.splitlines()[-1].endswith(
        "KETAV_ENGINE names the engine 'crayon', which is not installed. Unset it to use the engine 'kraken'."
    )


def test_an_entry_point_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several engines the named one is taken."""
    entries = [EntryPoint(name, f"{name}:Engine", extensions.ENGINES) for name in ("tiny", "other")]
    monkeypatch.setattr(extensions, "entry_points", lambda **_: EntryPoints(entries))
    assert extensions.find(extensions.ENGINES, "other") == entries[1]
    assert extensions.find(extensions.ENGINES, "none") is None
