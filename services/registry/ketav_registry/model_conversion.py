"""Conversion of public Kraken models in child processes: the registry itself never loads a model."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.errors import InvalidInput, Precondition
from ketav_common.logging import get_logger

log = get_logger()

_CONVERTER: Final = "ketav_engine.models.conversion"
_TIMEOUT_S: Final = 120
"""Seconds of a step, including 10 for the import of torch and kraken."""
_LIMITS: Final = ChildLimits(
    memory_bytes=16 * 1024**3,  # torch reserves far more address space than it uses
    data_bytes=3 * 1024**3,
    file_bytes=128 * 1024**2,
    request_cpu_seconds=_TIMEOUT_S,
)
_NO_MODEL: Final = (
    "The file is not a recognition model that Ketav can use. Export a recognition model from Kraken."
)


async def convert_model(source: Path, target: Path, *, timeout_s: float = _TIMEOUT_S) -> None:
    """Convert a public recognition model to safetensors and check the result, each in its own child process.

    Precondition no-engine: Kraken is not installed. InvalidInput unusable-model: Ketav cannot use the file.
    """
    if find_spec("kraken") is None:
        raise Precondition(
            "Checking a model requires Kraken, which is not installed. Install the extra `recognizer`.",
            code="no-engine",
        )
    try:
        await _ask({"convert": str(source), "target": str(target)}, target.parent, timeout_s)
        await _ask({"check": str(target)}, target.parent, timeout_s)
    except InvalidInput as error:
        raise InvalidInput(
            f"The file {source.name} cannot be imported. {error.detail}", code=error.code
        ) from error


async def _ask(request: dict[str, Any], folder: Path, timeout_s: float) -> None:
    """Send a request to a new child process; InvalidInput: it refuses the file, dies or is too slow."""
    child = await ChildProcess.start(_CONVERTER, _LIMITS, environment={"TMPDIR": str(folder)}, quiet=True)
    try:
        answer = (await child.ask(request, seconds=timeout_s)).message
    except ChildDiedError as error:
        log.warning("model_conversion_died", reason=str(error))
        raise InvalidInput(_reason(error, timeout_s), code="unusable-model") from error
    finally:
        await child.end()
    if "accepted" not in answer:
        raise InvalidInput(str(answer.get("refused", _NO_MODEL)), code="unusable-model")


def _reason(error: ChildDiedError, timeout_s: float) -> str:
    """Return the sentences about the end of a child process: whether the file or the machine is the cause."""
    if error.timed_out:
        return f"Checking the file took more than {timeout_s:g} seconds. Import it when the machine is idle."
    if error.out_of_memory or error.killed:
        return "Checking the file ran out of memory. Import it when the machine has 3 GB of free memory."
    return _NO_MODEL
