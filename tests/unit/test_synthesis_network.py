"""The files of the base model, which Kraken loads, and the weights that a larger alphabet adopts."""

from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import network
from ketav_basemodel.alphabet import ALPHABET
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
    """The engine's strict loader accepts the same file."""
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


def test_a_network_with_a_larger_alphabet_adopts_trained_weights() -> None:
    """Every layer and the known characters have the trained weights; a new character begins improbable."""
    import torch
    from kraken.lib.codec import PytorchCodec
    from kraken.lib.vgsl import TorchVGSLModel

    small = PytorchCodec("אב ")
    trained = TorchVGSLModel(vgsl=network.SPEC.format(height=48, classes=small.max_label + 1))
    trained.add_codec(small)
    larger = network.build(48)
    network.copy_weights(larger, trained)
    own, weights = larger.nn.state_dict(), trained.nn.state_dict()
    output = {name for name in own if name.startswith("O_")}
    assert output
    for name in own.keys() - output:
        assert torch.equal(own[name], weights[name]), name
    for name in output:
        for character, (label,) in small.c2l.items():
            assert torch.equal(own[name][larger.codec.c2l[character][0]], weights[name][label])
        assert torch.equal(own[name][0], weights[name][0])  # the blank
    bias = next(own[name] for name in output if own[name].dim() == 1)
    assert bias[larger.codec.c2l["ג"][0]] == network.UNSEEN_BIAS


def test_a_network_with_the_same_alphabet_adopts_every_weight() -> None:
    """Between equal networks all weights are copied, the output layer included."""
    import torch

    trained, other = network.build(48), network.build(48)
    network.copy_weights(other, trained)
    for name, value in trained.nn.state_dict().items():
        assert torch.equal(other.nn.state_dict()[name], value), name
