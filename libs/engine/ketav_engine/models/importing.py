"""Import of public Kraken models: `.mlmodel` or safetensors, converted in a subprocess with limits."""

import json
import resource
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

from ketav_common.limits import MAX_MODEL_BYTES
from ketav_common.processes import child_environment
from ketav_engine.domain import UnusableModelError

TIMEOUT_S: Final = 120
"""Seconds a conversion may take, imports included."""
_ADDRESS_SPACE: Final = 16 * 1024**3
_DATA: Final = 3 * 1024**3
_WRITTEN: Final = 128 * 1024**2
_SOURCE: Final = "source"
_RESULT: Final = "result.safetensors"
_REASON: Final = "reason"
_NO_MODEL: Final = "the file is not a recognition model that can be used here"


def convert(content: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
    """Turn a public recognition model into a checked safetensors file.

    The file is parsed in a process of its own with bounded memory and time: whatever it does there, this
    process only reads the result, and checks it again. Raises UnusableModelError.
    """
    from ketav_engine import models

    if not 0 < len(content) <= MAX_MODEL_BYTES:
        raise UnusableModelError("the model file is empty or too long")
    with tempfile.TemporaryDirectory(prefix="ketav-import-") as name:
        folder = Path(name)
        (folder / _SOURCE).write_bytes(content)
        _run(folder, timeout_s)
        result = folder / _RESULT
        if not result.is_file() or result.stat().st_size > MAX_MODEL_BYTES:
            raise UnusableModelError("the conversion gave no usable file")
        converted = result.read_bytes()
    models.load(converted)
    return converted


def _run(folder: Path, timeout_s: float) -> None:
    """Convert in a subprocess; raise UnusableModelError when it fails, dies or takes too long."""
    command = [sys.executable, "-m", "ketav_engine.models.importing", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - own code
            command,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env=child_environment({"TMPDIR": str(folder)}),
        )
    except subprocess.TimeoutExpired as error:
        raise UnusableModelError("the conversion took too long") from error
    if done.returncode != 0:
        raise UnusableModelError(_reason(folder))


def _reason(folder: Path) -> str:
    """Return what the conversion said of the file, or that it is none."""
    try:
        return (folder / _REASON).read_text(encoding="utf-8")[:300]
    except (OSError, UnicodeDecodeError):
        return _NO_MODEL


def _limit(seconds: int) -> None:
    """Bound this process's memory, processor time and what it may write."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA, _DATA))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN, _WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def convert_here(folder: Path) -> None:
    """Parse the source and write the result; any error ends the process with a failure."""
    from ketav_engine import models

    content = (folder / _SOURCE).read_bytes()
    try:
        if content[8:9] == b"{":
            net, metadata = (loaded := models.load(content)).net, loaded.metadata
        else:
            net, metadata = _from_mlmodel(folder, content), {}
    except UnusableModelError as error:
        (folder / _REASON).write_text(error.detail, encoding="utf-8")
        raise
    (folder / _RESULT).write_bytes(models.save(net, metadata))


def _from_mlmodel(folder: Path, content: bytes) -> object:
    """Load the only recognition network of a CoreML file, which is a protobuf and holds no code."""
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
                "the file's weights are not those of the network it describes"
            ) from error
    return net


def _description(content: bytes) -> dict[str, Any]:
    """Read what a CoreML file says of its network, before anything is built from it."""
    from coremltools.proto import Model_pb2
    from google.protobuf.message import DecodeError

    try:
        said = Model_pb2.Model.FromString(content).description.metadata.userDefined
        about = json.loads(said.get("kraken_meta") or "{}")
        codec = json.loads(said.get("codec") or "null")
        kind = about.get("model_type") or "recognition"
        spec = said.get("vgsl") or about.get("vgsl")
    except (DecodeError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise UnusableModelError("the file is not a Kraken model: neither safetensors nor CoreML") from error
    if spec is None:
        raise UnusableModelError("the file does not describe a Kraken network")
    if "recognition" not in kind:
        raise UnusableModelError("the file does not hold a recognition model")
    return {"vgsl": spec, "codec": codec}


if __name__ == "__main__":
    _limit(TIMEOUT_S)
    convert_here(Path(sys.argv[1]))
