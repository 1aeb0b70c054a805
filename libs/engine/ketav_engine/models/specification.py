"""The networks that may be built: VGSL specifications and alphabets, checked before memory is taken."""

import re
import warnings
from typing import Any, Final

from ketav_engine.domain import UnusableModelError

MAX_PARAMETERS: Final = 16_000_000
"""Weights of a network: eight times those of `hebrew_base`; as float32 they take 61 MiB."""
OWN_KEY: Final = "ketav"
"""Key of Ketav's own metadata in the description of a model."""
_MAX_SPEC_CHARACTERS: Final = 1024
"""Characters of a VGSL specification; that of `hebrew_base` has 244."""
_INPUT_HEIGHT: Final = (8, 160)
"""Least and greatest height in pixels of the lines that a network reads."""
_MAX_ALPHABET: Final = 4096
"""Characters of an alphabet."""

# The layers of a recognition network in VGSL (Kraken's specification): input of one channel and fixed height,
# convolutions, pooling, dropout, group norm, the reshape that folds height into features, recurrent layers
# along the line, a CTC output. No parallel blocks, transposed convolutions or upsampling: bounded memory.
_NAME: Final = r"(\{\w{1,16}\})?"
_LAYERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"C(s|t|r|l|lr|m){_NAME}\d{{1,2}},\d{{1,2}},\d{{1,4}}(,\d,\d)?(,\d,\d)?",
        rf"Mp{_NAME}\d,\d(,\d,\d)?",
        rf"Do{_NAME}(0?\.\d{{1,4}}(,[12])?)?",
        rf"Gn{_NAME}\d{{1,3}}",
        rf"S{_NAME}1\(1x0\)1,3",
        rf"L[frb]x{_NAME}\d{{1,4}}",
        rf"O{_NAME}1ca?\d{{1,4}}",
    )
)


def build(spec: str, alphabet: str) -> Any:  # noqa: ANN401
    """Build a new network; the output layer, which `spec` must not name, follows from the alphabet.

    Characters get the labels from 1 in sorted order; 0 is CTC's blank.
    """
    codec = {character: [label] for label, character in enumerate(sorted(set(alphabet)), start=1)}
    full = f"{spec.strip().rstrip(']').strip()} O1c{len(codec) + 1}]"
    check_spec(full)
    return network_class()(
        vgsl=full, codec=codec, model_type=["recognition"], one_channel_mode="L", seg_type="baselines"
    )


def network_class() -> Any:  # noqa: ANN401
    """Import Kraken's network class without the warnings of its dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kraken.lib.vgsl import TorchVGSLModel
    return TorchVGSLModel


def check_spec(spec: object) -> None:
    """Raise UnusableModelError unless a VGSL specification is one of an allowed recognition network."""
    if not isinstance(spec, str) or len(spec) > _MAX_SPEC_CHARACTERS or spec[:1] != "[" or spec[-1:] != "]":
        raise UnusableModelError(
            "The model's VGSL specification is not a sequence of layers. Export the model again with Kraken."
        )
    entrance, *blocks = spec[1:-1].split(" ")
    shape = re.fullmatch(r"\d{1,3},(\d{1,3}),0,1", entrance)
    low, high = _INPUT_HEIGHT
    if shape is None or not low <= int(shape.group(1)) <= high:
        raise UnusableModelError(
            f"The model's input {entrance[:40]!r} is not a grey line of {low} to {high} pixels. "
            "Use a model for grey lines of such a height."
        )
    for block in blocks:
        if not any(layer.fullmatch(block) for layer in _LAYERS):
            raise UnusableModelError(
                f"The model's layer {block[:40]!r} is not allowed. "
                "Use a model of convolutions, pooling, group norm, dropout and recurrent layers."
            )


def check_description(meta: dict[str, Any]) -> None:
    """Raise UnusableModelError unless the described network is allowed; no memory of its size is taken."""
    check_size(lay_out(meta))


def lay_out(meta: dict[str, Any]) -> Any:  # noqa: ANN401
    """Build the described network without storage for its weights; raises UnusableModelError."""
    import torch

    check_spec(meta.get("vgsl"))
    codec = meta.get("codec")
    if not isinstance(codec, dict) or not 0 < len(codec) <= _MAX_ALPHABET:
        raise UnusableModelError(
            f"The model has no alphabet of 1 to {_MAX_ALPHABET:,} characters. Use another model."
        )
    known = {key: meta.get(key) for key in ("seg_type", "one_channel_mode", "legacy_polygons", OWN_KEY)}
    try:
        with torch.device("meta"):
            net = network_class()(vgsl=meta["vgsl"], codec=codec, model_type=["recognition"], **known)
        outputs = int(net.nn[-1].output_size)
    except Exception as error:
        raise UnusableModelError(
            "Kraken cannot build a network of the model's VGSL specification. Export the model again."
        ) from error
    if net.codec.max_label >= outputs:
        raise UnusableModelError(
            "The model's alphabet has more characters than its network has outputs. Export the model again."
        )
    return net


def check_size(net: Any) -> None:  # noqa: ANN401
    """Raise UnusableModelError for a network of more than `MAX_PARAMETERS` weights."""
    if sum(value.numel() for value in net.state_dict().values()) > MAX_PARAMETERS:
        raise UnusableModelError(
            f"The model has too many weights: more than {MAX_PARAMETERS:,}. Use a smaller model."
        )
