"""The engines by name."""

from pathlib import Path

from ketav_common.extensions import ENGINES, KRAKEN, find, unknown_engine
from ketav_engine.devices import CPU
from ketav_engine.domain import Engine


def make_engine(name: str, language: Path | None = None, device: str = CPU) -> Engine:
    """Build the engine of a name: `kraken`, or an entry point of the group `ketav.engines`.

    Only that engine's libraries are imported. `language` is the file of a character language model: Kraken's
    outputs are decoded with it by beam search. `device` is where Kraken's networks run. Raises
    UnusableModelError when the file cannot be read, NoDeviceError when the device is not available, and
    Precondition when the engine is not installed.
    """
    if name == KRAKEN:
        from ketav_engine.kraken_engine import KrakenEngine
        from ketav_engine.recognition import language_model

        return KrakenEngine(language_model.read(language) if language is not None else None, device=device)
    entry = find(ENGINES, name)
    if entry is None:
        raise unknown_engine(name)
    engine: Engine = entry.load()()
    return engine
