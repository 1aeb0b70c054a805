"""Model files: safetensors in Kraken's form, checked before anything is built from them."""

import hashlib
import json
import re
import struct
import warnings
from dataclasses import dataclass
from typing import Any, Final

from ketav_common.limits import MAX_MODEL_BYTES, MAX_MODEL_HEADER_BYTES
from ketav_engine.domain import ModelInfo, UnusableModelError

MAX_PARAMETERS: Final = 16_000_000
"""A network has at most this many weights."""
_MAX_SPEC: Final = 1024
_MAX_HEIGHT: Final = 160
_MAX_ALPHABET: Final = 4096
_PREFIX: Final = "net"
_OWN: Final = "ketav"

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


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A network ready to read."""

    info: ModelInfo
    net: Any
    """kraken.lib.vgsl.TorchVGSLModel in evaluation mode."""
    metadata: dict[str, Any]
    """Own metadata of the file: temperature and whatever else was saved."""


def load(content: bytes, sha256: str | None = None) -> LoadedModel:
    """Load a safetensors model; raise UnusableModelError for anything else.

    `sha256` is the expected hex digest. The VGSL specification and the size are checked before any memory is
    taken: the network is laid out without storage and must match the file's tensors one by one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as read

    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise UnusableModelError("the model file is not the one expected: its SHA-256 differs")
    tensors, prefix, meta = _read_header(content)
    net = _lay_out(meta)
    _check_tensors(net, tensors, prefix)
    try:
        state = read(content)
    except SafetensorError as error:
        raise UnusableModelError("the file's tensors are damaged") from error
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise UnusableModelError("the model has weights that are no numbers")
    net.load_state_dict({name: state[f"{prefix}.{name}"].float() for name in net.state_dict()}, assign=True)
    return wrap(net.eval().requires_grad_(requires_grad=False), meta.get(_OWN) or {}, digest)


def wrap(net: Any, metadata: dict[str, Any], digest: str = "") -> LoadedModel:  # noqa: ANN401
    """Describe a network that lies in memory."""
    temperature = metadata.get("temperature", 1.0)
    if not isinstance(temperature, int | float) or not 0.05 <= temperature <= 20:
        raise UnusableModelError("the model's temperature is out of range")
    info = ModelInfo(
        sha256=digest,
        alphabet="".join(sorted(set("".join(net.codec.c2l)))),
        height=net.input[2],
        parameters=sum(weight.numel() for weight in net.parameters()),
        temperature=float(temperature),
    )
    return LoadedModel(info, net, dict(metadata))


def save(net: Any, metadata: dict[str, Any] | None = None) -> bytes:  # noqa: ANN401
    """Write a network as the safetensors file that Kraken itself reads; equal networks give equal bytes.

    Kraken's own writer stores the codec as a JSON string, which its loader refuses; here it stays a mapping.
    """
    import safetensors.torch

    described = {key: net.user_metadata.get(key) for key in ("vgsl", "seg_type", "one_channel_mode")}
    described |= {"codec": net.codec.c2l, "legacy_polygons": False, _OWN: metadata or {}}
    kraken_meta = {
        _PREFIX: {
            **described,
            "_kraken_min_version": net._kraken_min_version,  # noqa: SLF001 - the writer's own field
            "_tasks": ["recognition"],
            "_model": "TorchVGSLModel",
        }
    }
    state = {
        f"{_PREFIX}.{name}": value.detach().cpu().float().clone() for name, value in net.state_dict().items()
    }
    text = json.dumps(kraken_meta, ensure_ascii=False, sort_keys=True)
    return bytes(safetensors.torch.save(state, metadata={"kraken_meta": text}))


def build(spec: str, alphabet: str) -> Any:  # noqa: ANN401
    """Build a new network; the output layer, which `spec` must not name, follows from the alphabet.

    Characters take the labels from 1 in sorted order; 0 is CTC's blank.
    """
    codec = {character: [label] for label, character in enumerate(sorted(set(alphabet)), start=1)}
    full = f"{spec.strip().rstrip(']').strip()} O1c{len(codec) + 1}]"
    check_spec(full)
    return network_class()(
        vgsl=full, codec=codec, model_type=["recognition"], one_channel_mode="L", seg_type="baselines"
    )


def network_class() -> Any:  # noqa: ANN401
    """Import Kraken's network class; what its dependencies warn of while they load is theirs to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kraken.lib.vgsl import TorchVGSLModel
    return TorchVGSLModel


def check_spec(spec: object) -> None:
    """Raise UnusableModelError unless a VGSL specification is one of an allowed recognition network."""
    if not isinstance(spec, str) or len(spec) > _MAX_SPEC or spec[:1] != "[" or spec[-1:] != "]":
        raise UnusableModelError("the model's specification is not a sequence of layers")
    entrance, *blocks = spec[1:-1].split(" ")
    shape = re.fullmatch(r"\d{1,3},(\d{1,3}),0,1", entrance)
    if shape is None or not 8 <= int(shape.group(1)) <= _MAX_HEIGHT:
        raise UnusableModelError(f"the model's input {entrance[:40]!r} is not a grey line of a usable height")
    for block in blocks:
        if not any(layer.fullmatch(block) for layer in _LAYERS):
            raise UnusableModelError(f"the layer {block[:40]!r} is not allowed")


def check_description(meta: dict[str, Any]) -> None:
    """Raise UnusableModelError unless the described network is allowed; nothing of its size is taken."""
    _check_size(_lay_out(meta))


def _read_header(content: bytes) -> tuple[dict[str, list[int]], str, dict[str, Any]]:
    """Return the tensors' shapes, the prefix of their names and the only model's metadata."""
    if not 8 < len(content) <= MAX_MODEL_BYTES:
        raise UnusableModelError("the model file is empty or too long")
    (length,) = struct.unpack("<Q", content[:8])
    if length > min(MAX_MODEL_HEADER_BYTES, len(content) - 8):
        raise UnusableModelError("the file is not in the safetensors format")
    try:
        header = json.loads(content[8 : 8 + length])
        models = json.loads(header.pop("__metadata__")["kraken_meta"])
        ((prefix, meta),) = models.items()
        shapes = {name: list(entry["shape"]) for name, entry in header.items()}
        if meta["_model"] != "TorchVGSLModel" or "recognition" not in meta["_tasks"]:
            raise UnusableModelError("the file does not hold a recognition model")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableModelError("the file does not describe exactly one Kraken model") from error
    return shapes, prefix, meta


def _lay_out(meta: dict[str, Any]) -> Any:  # noqa: ANN401
    """Build the described network without storage."""
    import torch

    check_spec(meta.get("vgsl"))
    codec = meta.get("codec")
    if not isinstance(codec, dict) or not 0 < len(codec) <= _MAX_ALPHABET:
        raise UnusableModelError("the model has no usable alphabet")
    known = {key: meta.get(key) for key in ("seg_type", "one_channel_mode", "legacy_polygons", _OWN)}
    try:
        with torch.device("meta"):
            net = network_class()(vgsl=meta["vgsl"], codec=codec, model_type=["recognition"], **known)
        outputs = int(net.nn[-1].output_size)
    except Exception as error:
        raise UnusableModelError("the model's specification cannot be built") from error
    if net.codec.max_label >= outputs:
        raise UnusableModelError("the alphabet has more letters than the network outputs")
    return net


def _check_tensors(net: Any, tensors: dict[str, list[int]], prefix: str) -> None:  # noqa: ANN401
    """Raise UnusableModelError unless the file holds exactly the network's tensors, not too many of them."""
    wanted = {f"{prefix}.{name}": list(value.shape) for name, value in net.state_dict().items()}
    _check_size(net)
    if wanted != tensors:
        raise UnusableModelError("the file's tensors are not those of the network it describes")


def _check_size(net: Any) -> None:  # noqa: ANN401
    """Raise UnusableModelError for a network of too many weights."""
    if sum(value.numel() for value in net.state_dict().values()) > MAX_PARAMETERS:
        raise UnusableModelError("the model has too many weights")
