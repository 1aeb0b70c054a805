"""Model files: safetensors in Kraken's form, checked before anything is built from them."""

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any, Final

from ketav_common.limits import MAX_MODEL_BYTES, MAX_MODEL_HEADER_BYTES
from ketav_engine.domain import ModelInfo, UnusableModelError
from ketav_engine.models.specification import OWN_KEY, check_size, lay_out
from ketav_engine.recognition.user_words import Trie, build_trie, checked_words

_PREFIX: Final = "net"
"""Prefix of the names of the tensors and of the model in a file that this module writes."""
_TEMPERATURE: Final = (0.05, 20)
"""Least and greatest temperature of a model; beyond them confidences are 0 or 1, or all alike."""
WORDS_KEY: Final = "words"
"""Key of the user's words in Ketav's own metadata."""
_LENGTH_BYTES: Final = 8
"""Bytes before the header of a safetensors file: the header's length, little-endian."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A network ready to read."""

    info: ModelInfo
    net: Any
    """kraken.lib.vgsl.TorchVGSLModel in evaluation mode."""
    metadata: dict[str, Any]
    """Ketav's own metadata of the file: the temperature, the user's words, the figures of its training."""
    user_words: Trie
    """The words of `metadata` as the search uses them."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The header of a safetensors file with one Kraken model."""

    shapes: dict[str, list[int]]
    """Shape of each tensor by its name."""
    prefix: str
    """Beginning of the tensors' names."""
    meta: dict[str, Any]
    """Kraken's description of the model."""


def load(content: bytes, sha256: str | None = None) -> LoadedModel:
    """Load a safetensors model; raise UnusableModelError for anything else.

    `sha256` is the expected hex digest. The VGSL specification and the size are checked before any memory is
    taken: the network is laid out without storage and must match the file's tensors one by one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as read

    digest = checked_digest(content, sha256)
    header = _read_header(content)
    net = lay_out(header.meta)
    _check_tensors(net, header)
    try:
        state = read(content)
    except SafetensorError as error:
        raise UnusableModelError("The model file's tensors are damaged. Use another copy.") from error
    if not all(bool(value.isfinite().all()) for value in state.values()):
        raise UnusableModelError(
            "The model has weights that are no numbers: its training diverged. Use another model."
        )
    weights = {name: state[f"{header.prefix}.{name}"].float() for name in net.state_dict()}
    net.load_state_dict(weights, assign=True)
    return wrap(net.eval().requires_grad_(requires_grad=False), header.meta.get(OWN_KEY) or {}, digest)


def checked_digest(content: bytes, sha256: str | None) -> str:
    """Return the hex digest of a file; raises UnusableModelError when it is not the expected one."""
    digest = hashlib.sha256(content).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise UnusableModelError(
            "The model file is not the expected one: its SHA-256 differs. Download the model again."
        )
    return digest


def wrap(net: Any, metadata: dict[str, Any], digest: str = "") -> LoadedModel:  # noqa: ANN401
    """Return a network in memory as a loaded model; raises UnusableModelError for bad metadata."""
    temperature = metadata.get("temperature", 1.0)
    low, high = _TEMPERATURE
    if not isinstance(temperature, int | float) or not low <= temperature <= high:
        raise UnusableModelError(
            f"The model's temperature is not a number from {low} to {high}. Export the model again."
        )
    info = ModelInfo(
        sha256=digest,
        alphabet="".join(sorted(set("".join(net.codec.c2l)))),
        height=net.input[2],
        parameters=sum(weight.numel() for weight in net.parameters()),
        temperature=float(temperature),
    )
    words = checked_words(metadata.get(WORDS_KEY, {}))
    return LoadedModel(info, net, dict(metadata), build_trie(words, net.codec))


def save(net: Any, metadata: dict[str, Any] | None = None) -> bytes:  # noqa: ANN401
    """Write a network as the safetensors file that Kraken itself reads; equal networks give equal bytes.

    Kraken's own writer stores the codec as a JSON string, which its loader refuses; here it stays a mapping.
    """
    import safetensors.torch

    described = {key: net.user_metadata.get(key) for key in ("vgsl", "seg_type", "one_channel_mode")}
    described |= {"codec": net.codec.c2l, "legacy_polygons": False, OWN_KEY: metadata or {}}
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


def _read_header(content: bytes) -> _Header:
    """Return the checked header of a model file; raises UnusableModelError."""
    if not _LENGTH_BYTES < len(content) <= MAX_MODEL_BYTES:
        raise UnusableModelError(
            f"The model file is empty or longer than {MAX_MODEL_BYTES:,} bytes. Use a smaller model."
        )
    (length,) = struct.unpack("<Q", content[:_LENGTH_BYTES])
    if length > min(MAX_MODEL_HEADER_BYTES, len(content) - _LENGTH_BYTES):
        raise UnusableModelError(
            "The file is not in the safetensors format. Export the model again as safetensors."
        )
    try:
        header = json.loads(content[_LENGTH_BYTES : _LENGTH_BYTES + length])
        models = json.loads(header.pop("__metadata__")["kraken_meta"])
        ((prefix, meta),) = models.items()
        shapes = {name: list(entry["shape"]) for name, entry in header.items()}
        is_recognizer = meta["_model"] == "TorchVGSLModel" and "recognition" in meta["_tasks"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnusableModelError(
            "The file does not describe exactly one Kraken model. Export one model alone."
        ) from error
    if not is_recognizer:
        raise UnusableModelError(
            "The file does not hold a recognition model. Use a model that was trained to recognize text."
        )
    return _Header(shapes, prefix, meta)


def _check_tensors(net: Any, header: _Header) -> None:  # noqa: ANN401
    """Raise UnusableModelError unless the file holds exactly the network's tensors, not too many of them."""
    expected = {f"{header.prefix}.{name}": list(value.shape) for name, value in net.state_dict().items()}
    check_size(net)
    if expected != header.shapes:
        raise UnusableModelError(
            "The file's tensors are not those of the network that it describes. Export the model again."
        )
