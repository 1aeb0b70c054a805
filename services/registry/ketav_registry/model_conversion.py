"""Converts public Kraken models in child processes; the registry itself never loads a model."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.errors import InvalidInput, Precondition

_CONVERTER: Final = "ketav_engine.models.conversion"
_SECONDS: Final = 120
"""Seconds that a step may take, the import of torch and kraken (10 s) included."""
_LIMITS: Final = ChildLimits(
    memory_bytes=16 * 1024**3,  # torch reserves far more address space than it uses
    data_bytes=3 * 1024**3,
    file_bytes=128 * 1024**2,
    request_cpu_seconds=_SECONDS,
)
_NO_MODEL: Final = (
    "The file is not a recognition model that Ketav can use. Export a recognition model from Kraken."
)


async def convert_model(source: Path, target: Path, *, seconds: float = _SECONDS) -> None:
    """Convert a public recognition model to safetensors and check the result, each in a process of its own.

    Precondition: the engine is not installed here. InvalidInput unusable-model: the file is refused.
    """
    if find_spec("kraken") is None:
        raise Precondition(
            "Checking a model needs Kraken, which is not installed here. Install the extra `recognizer`.",
            code="no-engine",
        )
    await _ask({"convert": str(source), "target": str(target)}, target.parent, seconds)
    await _ask({"check": str(target)}, target.parent, seconds)


async def _ask(request: dict[str, Any], folder: Path, seconds: float) -> None:
    """Let a new process answer one request; raises InvalidInput when it refuses, dies or takes too long."""
    child = await ChildProcess.start(_CONVERTER, _LIMITS, environment={"TMPDIR": str(folder)}, quiet=True)
    try:
        answer = (await child.ask(request, seconds=seconds)).message
    except ChildDiedError as error:
        raise InvalidInput(_NO_MODEL, code="unusable-model") from error
    finally:
        await child.end()
    if "accepted" not in answer:
        raise InvalidInput(str(answer.get("refused", _NO_MODEL)), code="unusable-model")
