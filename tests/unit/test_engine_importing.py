"""Public models are parsed and checked; the process that does it is tested with the registry's import."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from coremltools.proto import Model_pb2

from ketav_common.limits import MAX_MODEL_BYTES
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
    importing.convert(path, tmp_path / "model.safetensors")
    importing.check(tmp_path / "model.safetensors")
    loaded = models.load((tmp_path / "model.safetensors").read_bytes())
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
        importing.convert(tmp_path / "source", tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


def described(**fields: str) -> bytes:
    """Return a CoreML file without layers that says something of itself."""
    model = Model_pb2.Model()
    model.description.metadata.userDefined.update(fields)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("fields", "reason"),
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
    fields: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """The description of a file's network is checked first; the operator reads the reason."""
    (tmp_path / "source").write_bytes(described(**fields))
    with pytest.raises(UnusableModelError, match=reason):
        importing.convert(tmp_path / "source", tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("length", [0, MAX_MODEL_BYTES + 1])
def test_an_empty_or_too_long_file_is_not_parsed(length: int, tmp_path: Path) -> None:
    """Its length decides, for conversion and check."""
    with (tmp_path / "source").open("wb") as file:
        file.truncate(length)
    with pytest.raises(UnusableModelError, match="empty or longer"):
        importing.convert(tmp_path / "source", tmp_path / "model.safetensors")
    with pytest.raises(UnusableModelError, match="empty or longer"):
        importing.check(tmp_path / "source")
