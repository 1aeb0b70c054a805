"""A process with a missing or wrong setting ends with sentences that name the variable, never its value."""

import os
import subprocess
import sys

import pytest

from ketav_common.settings import ServiceSettings, load


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator reads which one, and where it is described."""
    monkeypatch.delenv("KETAV_IDENTITY_SECRET", raising=False)
    with pytest.raises(SystemExit) as caught:
        load(ServiceSettings)
    assert caught.value.code == "KETAV_IDENTITY_SECRET is not set. Set it as docs/settings.md describes."


def test_every_wrong_variable_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is too short is not printed."""
    monkeypatch.setenv("KETAV_IDENTITY_SECRET", "canary")
    monkeypatch.setenv("KETAV_METRICS_PORT", "many")
    with pytest.raises(SystemExit) as caught:
        load(ServiceSettings)
    lines = str(caught.value.code).splitlines()
    assert [line.split()[0] for line in lines] == ["KETAV_IDENTITY_SECRET", "KETAV_METRICS_PORT"]
    assert "canary" not in str(caught.value.code)
    assert "many" not in str(caught.value.code)


@pytest.mark.parametrize(
    "module", ["ketav_gateway.main", "ketav_registry.main", "ketav_recognizer.main", "ketav_trainer.main"]
)
def test_a_service_without_its_settings_ends_without_a_traceback(module: str) -> None:
    """Exit status 1 and a sentence on stderr."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KETAV_")}
    ran = subprocess.run(
        [sys.executable, "-m", module], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "KETAV_IDENTITY_SECRET is not set." in ran.stderr
    assert "Traceback" not in ran.stderr
