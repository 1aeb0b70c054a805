"""The network of the base model, its alphabet, and its files, which Kraken itself loads."""

from pathlib import Path
from typing import Any, Final

import torch
from kraken.lib.codec import PytorchCodec
from kraken.lib.vgsl import TorchVGSLModel
from kraken.models import write_safetensors

from ketav_basemodel.alphabet import ALPHABET

SPEC: Final = (
    "[1,{height},0,1 Cr4,4,32,2,2 Gn8 Cr3,3,64,2,2 Gn8 Cr3,3,64 Gn8 Cr3,3,128,2,1 Gn8 Do0.1,2 S1(1x0)1,3 "
    "Cr1,3,256 Gn8 Lbx160 Do0.2,2 Lbx160 Do0.2,2 O1c{classes}]"
)
"""Strided convolutions (a quarter of the width remains), then two bidirectional LSTMs over the line."""
UNSEEN_BIAS: Final = -5.0
"""Output bias of a character that a network has not been trained on yet: improbable, and quickly learnt."""
STRIDE: Final = 4
"""Pixels of a normalised line for one step of the network's output."""


def alphabet_codec() -> PytorchCodec:
    """Return the codec: class 0 is CTC's blank, then the alphabet in its own order."""
    return PytorchCodec(ALPHABET)


def build(height: int, arch: str = "vgsl") -> Any:  # noqa: ANN401  # kraken is untyped
    """Build an untrained network of an architecture, `vgsl` or `ppocrv6`, for grey lines of this height."""
    return _ARCHITECTURES[arch](height)


def _build_vgsl(height: int) -> Any:  # noqa: ANN401  # as above
    """Build the network of `SPEC`; convolutions are initialized as in He et al. 2015."""
    model = TorchVGSLModel(vgsl=SPEC.format(height=height, classes=len(ALPHABET) + 1))
    model.add_codec(alphabet_codec())
    for module in model.nn.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    return model


def copy_weights(model: Any, trained: Any) -> None:  # noqa: ANN401  # as above
    """Copy the weights of a trained network of the same layers, whose alphabet may be smaller, into `model`.

    A character that the trained network lacks gets small weights and a bias that makes it improbable.
    """
    own = model.nn.state_dict()
    for name, weights in trained.nn.state_dict().items():
        if own[name].shape == weights.shape and model.codec.c2l == trained.codec.c2l:
            own[name] = weights
        elif own[name].shape[1:] == weights.shape[1:] and name.startswith("O_"):
            own[name] = own[name] * 0.1 if weights.dim() > 1 else torch.full_like(own[name], UNSEEN_BIAS)
            own[name][0] = weights[0]
            for character, labels in trained.codec.c2l.items():
                own[name][model.codec.c2l[character][0]] = weights[labels[0]]
        else:
            own[name] = weights
    model.nn.load_state_dict(own)


class _Grey(torch.nn.Module):
    """A network for colour images that gets grey ones."""

    def __init__(self, inner: torch.nn.Module) -> None:
        """Take the network."""
        super().__init__()
        self.inner = inner

    def forward(self, images: torch.Tensor) -> Any:  # noqa: ANN401  # as the network returns
        """Repeat the one channel (N, 1, H, W) for each colour."""
        return self.inner(images.expand(-1, 3, -1, -1))


def _build_ppocr(height: int) -> Any:  # noqa: ANN401  # as above
    """Build Kraken's smallest PP-OCRv6, for comparison: without its auxiliary head, not compiled."""
    from kraken.lib.ppocr import PPOCRv6Model

    codec = alphabet_codec()
    model = PPOCRv6Model("tiny", num_classes=len(ALPHABET) + 1, height=height, codec=codec.c2l)
    model.nn = _Grey(model.nn)
    return model


_ARCHITECTURES: Final = {"vgsl": _build_vgsl, "ppocrv6": _build_ppocr}


def save(model: Any, path: Path, metadata: dict[str, Any]) -> None:  # noqa: ANN401  # kraken is untyped
    """Write a network as safetensors that `kraken.models.load_models` reads back.

    The codec is written as a mapping: as the JSON text that `add_codec` stores, it would not load again.
    """
    model.user_metadata["codec"] = model.codec.c2l
    model.user_metadata["seg_type"] = "baselines"
    model.user_metadata["one_channel_mode"] = "L"
    model.user_metadata["model_type"] = ["recognition"]
    model.user_metadata["legacy_polygons"] = False
    model.user_metadata["ketav"] = metadata
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.safetensors")
    write_safetensors([model], part)
    part.rename(path)
