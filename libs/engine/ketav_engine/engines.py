"""The engines by name."""

from pathlib import Path
from typing import Literal

from ketav_engine.domain import Engine

EngineName = Literal["kraken", "tiny"]
"""What a setting may say."""


def make_engine(name: EngineName, language: Path | None = None) -> Engine:
    """Build the engine of a name; only that engine's libraries are imported.

    `language` is the file of a character language model, with which outputs are decoded by beam search.
    Raises UnusableModelError when it cannot be read.
    """
    if name == "kraken":
        from ketav_engine.kraken_engine import KrakenEngine
        from ketav_engine.recognition import ngram

        return KrakenEngine(ngram.read(language) if language is not None else None)
    from ketav_engine.tiny import TinyEngine

    return TinyEngine()
