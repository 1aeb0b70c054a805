"""Import of public Kraken models, `.mlmodel` or safetensors: parsed, checked and written as safetensors.

Parsing belongs in a child process (`ketav_engine.models.conversion`): the files come from strangers.
"""

import json
import warnings
from pathlib import Path
from typing import Any

from ketav_common.limits import MAX_MODEL_BYTES
from ketav_engine.domain import UnusableModelError


def convert(source: Path, target: Path) -> None:
    """Write a public recognition model as safetensors; raises UnusableModelError."""
    from ketav_engine import models

    content = _content(source)
    if content[8:9] == b"{":
        loaded = models.load(content)
        # An imported model serves every user, and the words of a user's model are private.
        public = {key: value for key, value in loaded.metadata.items() if key != models.WORDS_KEY}
        target.write_bytes(models.save(loaded.net, public))
    else:
        target.write_bytes(models.save(_from_mlmodel(target.parent, content), {}))


def check(file: Path) -> None:
    """Raise UnusableModelError unless a file is a recognition model in safetensors that may be loaded."""
    from ketav_engine import models

    models.load(_content(file))


def _content(file: Path) -> bytes:
    """Return the content of a model file; raises UnusableModelError when it is empty or too long."""
    if not 0 < file.stat().st_size <= MAX_MODEL_BYTES:
        raise UnusableModelError(
            f"The model file is empty or longer than {MAX_MODEL_BYTES:,} bytes. Use a smaller model."
        )
    return file.read_bytes()


def _from_mlmodel(folder: Path, content: bytes) -> object:
    """Load the only recognition network of a CoreML file, which is a protobuf and holds no code.

    Raises UnusableModelError for a network that is not allowed, and for weights that do not fit it.
    """
    from ketav_engine import models

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models.check_description(_description(content))
        from kraken.models import load_models

        path = folder / "source.mlmodel"
        path.write_bytes(content)
        try:
            (net,) = load_models(path, tasks=["recognition"])
        except (ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise UnusableModelError(
                "The file's weights are not those of the network that it describes. Export the model again."
            ) from error
    return net


def _description(content: bytes) -> dict[str, Any]:
    """Return the description of the network in a CoreML file, before anything is built from it.

    Raises UnusableModelError unless the file describes a recognition network.
    """
    from coremltools.proto import Model_pb2
    from google.protobuf.message import DecodeError

    try:
        fields = Model_pb2.Model.FromString(content).description.metadata.userDefined
        about = json.loads(fields.get("kraken_meta") or "{}")
        codec = json.loads(fields.get("codec") or "null")
        model_type = about.get("model_type") or "recognition"
        spec = fields.get("vgsl") or about.get("vgsl")
    except (DecodeError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise UnusableModelError(
            "The file is not a Kraken model: neither safetensors nor CoreML. Use a file that Kraken wrote."
        ) from error
    if spec is None:
        raise UnusableModelError("The file does not describe a Kraken network. Use a file that Kraken wrote.")
    if "recognition" not in model_type:
        raise UnusableModelError(
            "The file does not hold a recognition model. Use a model that was trained to recognize text."
        )
    return {"vgsl": spec, "codec": codec}
