"""The base model's file: stock Kraken loads what is saved, and reads with it as the engine does."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import network
from ketav_basemodel.texts import ALPHABET
from ketav_engine.models import load

pytestmark = pytest.mark.kraken


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save an untrained network."""
    path = tmp_path_factory.mktemp("model") / "base.safetensors"
    network.save(network.build(48), path, {"lines": 0})
    return path


def test_stock_kraken_loads_the_file_and_keeps_its_codec(saved: Path) -> None:
    """The codec is a mapping in the file: as text it would not load again."""
    from kraken.models import load_models

    (model,) = load_models(saved)
    assert sorted(model.codec.c2l) == sorted(ALPHABET)
    assert model.codec.c2l == network.alphabet_codec().c2l


def test_the_engine_loads_the_file_with_its_alphabet_and_height(saved: Path) -> None:
    """The engine's strict loader takes the same file."""
    info = load(saved.read_bytes()).info
    assert info.height == 48
    assert set(info.alphabet) == set(ALPHABET)


def test_the_output_is_a_quarter_of_the_width(saved: Path) -> None:
    """One step of output for every four pixels."""
    import torch

    with torch.inference_mode():
        output, _ = load(saved.read_bytes()).net.nn(torch.zeros(1, 1, 48, 256))
    assert output.shape == (1, len(ALPHABET) + 1, 1, 256 // network.STRIDE)
    assert np.isfinite(output.numpy()).all()
