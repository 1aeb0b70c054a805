"""Public models are converted in a process of their own."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from coremltools.proto import Model_pb2

from ketav_engine import models
from ketav_engine.domain import UnusableModelError
from ketav_engine.models import importing

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do]"


def test_an_mlmodel_becomes_safetensors_that_read_the_same(tmp_path: Path) -> None:
    """The converted network gives the original's outputs for a line, and has its alphabet."""
    torch.manual_seed(1)
    net = models.build(SPEC, "אבגד ").eval()
    path = tmp_path / "public.mlmodel"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.save_model(str(path))
    loaded = models.load(importing.convert(path.read_bytes()))
    line = torch.from_numpy(np.random.default_rng(1).random((1, 1, 48, 200), dtype=np.float32))
    with torch.no_grad():
        expected, _ = net.nn(line, torch.tensor([200]))
        read, _ = loaded.net.nn(line, torch.tensor([200]))
    torch.testing.assert_close(read, expected)
    assert loaded.info.alphabet == " אבגד"


@pytest.mark.parametrize("damage", [b"\x80\x04K\x01.", b"noise", b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_model_ends_the_conversion(damage: bytes, tmp_path: Path) -> None:
    """Pickles, noise and headers without a model fail before anything is written."""
    (tmp_path / "source").write_bytes(damage)
    with pytest.raises(UnusableModelError):
        importing.convert_here(tmp_path)
    assert not (tmp_path / "result.safetensors").exists()


def described(**said: str) -> bytes:
    """Return a CoreML file without layers that says something of itself."""
    model = Model_pb2.Model()
    model.description.metadata.userDefined.update(said)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            {"vgsl": "[1,48,0,1 Cr99,99,9999 S1(1x0)1,3 Lbx9999 O1c3]", "codec": '{"א": [1]}'},
            "too many weights",
        ),
        ({"vgsl": SPEC, "codec": "{" * 100_000}, "neither safetensors nor CoreML"),
        ({"vgsl": "[1,48,0,1 I]", "codec": '{"א": [1]}'}, "not allowed"),
        ({"vgsl": SPEC.replace("Do]", "O1c3]"), "codec": '{"א": [1]}'}, "weights are not those"),
        ({"vgsl": SPEC, "kraken_meta": '{"model_type": "segmentation"}'}, "not hold a recognition model"),
        ({"codec": '{"א": [1]}'}, "does not describe"),
        ({"vgsl": SPEC, "kraken_meta": "[]"}, "neither safetensors nor CoreML"),
    ],
)
def test_a_hostile_description_is_refused_before_anything_is_built(
    said: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """What a file says of its network is checked first; the reason is kept for the operator."""
    (tmp_path / "source").write_bytes(described(**said))
    with pytest.raises(UnusableModelError, match=reason):
        importing.convert_here(tmp_path)
    assert reason in (tmp_path / "reason").read_text()
    assert not (tmp_path / "result.safetensors").exists()


def test_an_empty_file_is_refused() -> None:
    """Nothing is started for an empty file."""
    with pytest.raises(UnusableModelError, match="empty"):
        importing.convert(b"")


def test_a_conversion_that_takes_too_long_is_ended() -> None:
    """The subprocess is killed at its time limit."""
    with pytest.raises(UnusableModelError, match="too long"):
        importing.convert(b"noise" * 10, timeout_s=0.01)
