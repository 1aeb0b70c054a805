"""The engines by name."""

from typing import Literal

from ketav_engine.domain import Engine

EngineName = Literal["kraken", "tiny"]
"""What a setting may say."""


def make_engine(name: EngineName) -> Engine:
    """Build the engine of a name; only that engine's libraries are imported."""
    if name == "kraken":
        from ketav_engine.kraken_engine import KrakenEngine

        return KrakenEngine()
    from ketav_engine.tiny import TinyEngine

    return TinyEngine()
