"""Extensions that an environment installs by entry points.

The services ship with none. The tests' distribution `ketav-testing` provides a small deterministic engine and
the fault points; a setting that asks for one of them is refused where it is not installed.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from ketav_common.errors import Precondition

ENGINES: Final = "ketav.engines"
"""Entry-point group of the engines besides Kraken; the name of an entry point is a value of KETAV_ENGINE."""
FAULT_POINTS: Final = "ketav.fault_points"
"""Entry-point group of the function that the fault points call."""
KRAKEN: Final = "kraken"
"""Name of the engine that every installation has."""


def find(group: str, name: str | None = None) -> EntryPoint | None:
    """Return the installed entry point of a group, by name if one is given; None where there is none."""
    return next((entry for entry in entry_points(group=group) if name in (None, entry.name)), None)


def check_engine(name: str) -> str:
    """Return the engine's name; raises Precondition unless that engine is installed."""
    if name != KRAKEN and find(ENGINES, name) is None:
        raise unknown_engine(name)
    return name


def unknown_engine(name: str) -> Precondition:
    """Return the error of an engine that is not installed."""
    return Precondition(
        f"KETAV_ENGINE names the engine {name!r}, which is not installed. "
        f"Unset it to use the engine {KRAKEN!r}.",
        code="unknown-engine",
    )
