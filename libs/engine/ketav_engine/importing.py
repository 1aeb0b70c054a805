"""Import of public Kraken models: `.mlmodel` or safetensors, converted in a subprocess with limits."""

import resource
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Final

from ketav_engine.domain import UnusableModelError

TIMEOUT_S: Final = 120
"""Seconds a conversion may take, imports included."""
_ADDRESS_SPACE: Final = 16 * 1024**3
_DATA: Final = 3 * 1024**3
_SOURCE: Final = "source"
_RESULT: Final = "result.safetensors"


def convert(content: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
    """Turn a public recognition model into a checked safetensors file.

    The file is parsed in a process of its own with bounded memory and time: whatever it does there, this
    process only reads the result, and checks it again. Raises UnusableModelError.
    """
    from ketav_engine import models

    if not 0 < len(content) <= models.MAX_BYTES:
        raise UnusableModelError("the model file is empty or too long")
    with tempfile.TemporaryDirectory(prefix="ketav-import-") as name:
        folder = Path(name)
        (folder / _SOURCE).write_bytes(content)
        _run(folder, timeout_s)
        result = folder / _RESULT
        if not result.is_file() or result.stat().st_size > models.MAX_BYTES:
            raise UnusableModelError("the conversion gave no usable file")
        converted = result.read_bytes()
    models.load(converted)
    return converted


def _run(folder: Path, timeout_s: float) -> None:
    """Convert in a subprocess; raise UnusableModelError when it fails, dies or takes too long."""
    command = [sys.executable, "-m", "ketav_engine.importing", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)  # noqa: S603 - own code
    except subprocess.TimeoutExpired as error:
        raise UnusableModelError("the conversion took too long") from error
    if done.returncode != 0:
        raise UnusableModelError("the file is not a recognition model that can be used here")


def _limit() -> None:
    """Bound this process's memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA, _DATA))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def convert_here(folder: Path) -> None:
    """Parse the source and write the result; any error ends the process with a failure."""
    from ketav_engine import models

    content = (folder / _SOURCE).read_bytes()
    if content[8:9] == b"{":
        net, metadata = (loaded := models.load(content)).net, loaded.metadata
    else:
        net, metadata = _from_mlmodel(folder), {}
    (folder / _RESULT).write_bytes(models.save(net, metadata))


def _from_mlmodel(folder: Path) -> object:
    """Load the only recognition network of a CoreML file, which is a protobuf and holds no code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kraken.models import load_models

        path = folder / "source.mlmodel"
        (folder / _SOURCE).rename(path)
        (net,) = load_models(path, tasks=["recognition"])
    return net


if __name__ == "__main__":
    _limit()
    convert_here(Path(sys.argv[1]))
