"""`ketav models import`: a public Kraken file becomes the base of a script, or is refused with a reason."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from coremltools.proto import Model_pb2

from ketav_engine import models
from ketav_local.demo.page import LINES, render
from tests.e2e.local_system import LocalSystem

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do]"
HUGE = "[1,120,0,1 Cr99,99,9999 Cr99,99,9999 S1(1x0)1,3 Lbx9999 O1c6]"


@pytest.fixture(scope="module")
def public_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small network as the `.mlmodel` that Kraken's own writer makes."""
    path = tmp_path_factory.mktemp("public") / "sephardi.mlmodel"
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kraken.models import write_coreml

        write_coreml([models.build(SPEC, "אבגד ").eval()], path)
    return path


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, public_file: Path) -> Iterator[LocalSystem]:
    """Run one whole system on Kraken, its base for every script another small network."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(2)
    (folder / "hebrew_base.safetensors").write_bytes(models.save(models.build(SPEC, "אבגד ").eval()))
    running = LocalSystem(tmp_path_factory.mktemp("system"), {"KETAV_MODELS_DIR": str(folder)})
    running.start()
    try:
        yield running
    finally:
        running.stop()


def ketav_import(system: LocalSystem, file: Path) -> subprocess.CompletedProcess[str]:
    """Import a file as the base of the Sephardic hand, as an operator does."""
    command = [sys.executable, "-m", "ketav_local.command", "models", "import", str(file)]
    return subprocess.run(
        [*command, "--script", "sephardi", "--name", "bodleian"],
        env={**os.environ, "KETAV_DATA_DIR": str(system.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )


def read(system: LocalSystem, script: str) -> str:
    """Read a page in a new project of a script; give the version of the model that read it."""
    with system.client() as client:
        answer = client.post("/ocr/", files={"file": ("page.png", render(seed=3))}, data={"script": script})
    assert answer.status_code == 201, answer.text
    assert len(answer.json()["lines"]) == len(LINES)
    return str(answer.json()["model"]["version"])


def hostile(public_file: Path) -> dict[str, tuple[bytes, str]]:
    """Make files that must be refused, each with words of the reason."""
    huge = Model_pb2.Model.FromString(public_file.read_bytes())
    huge.description.metadata.userDefined["vgsl"] = HUGE
    return {
        "huge.mlmodel": (huge.SerializeToString(), "too many weights"),
        "pickle.safetensors": (b"\x80\x04K\x01.", "neither safetensors nor CoreML"),
    }


@pytest.mark.timeout(600)
def test_an_imported_model_reads_the_pages_of_its_script_and_a_hostile_file_leaves_nothing(
    system: LocalSystem, public_file: Path, tmp_path: Path
) -> None:
    """Refusals name the reason and store nothing; the public file becomes the base of its script alone."""
    before = sorted((system.data_dir / "blobs").rglob("*"))
    for name, (content, reason) in hostile(public_file).items():
        (tmp_path / name).write_bytes(content)
        refused = ketav_import(system, tmp_path / name)
        assert refused.returncode == 1, name
        assert reason in refused.stderr, f"{name}: {refused.stderr}"
        assert "Traceback" not in refused.stderr
    assert sorted((system.data_dir / "blobs").rglob("*")) == before
    assert read(system, "sephardi") == "hebrew_base-1"
    imported = ketav_import(system, public_file)
    assert (imported.returncode, imported.stdout.strip()) == (0, "bodleian-1"), imported.stderr
    assert read(system, "sephardi") == "bodleian-1"
    assert read(system, "square") == "hebrew_base-1"
