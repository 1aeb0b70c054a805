"""Fault points: named points of a run at which the fault tests stop a process; see docs/faults.md.

This module holds the points alone. The code that stops a process is an entry point of the group
`ketav.fault_points`, which only the tests' distribution `ketav-testing` provides.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Final

from ketav_common import extensions
from ketav_common.errors import Precondition

DIRECTORY: Final = "KETAV_FAULT_DIR"
"""Environment variable of the fault tests: the folder in which they arm points."""


def reached(point: str, run_id: str = "") -> None:
    """Pass a fault point: do nothing without KETAV_FAULT_DIR, else call the installed fault points.

    Raises Precondition where KETAV_FAULT_DIR is set and none are installed.
    """
    if DIRECTORY in os.environ:
        _installed()(point, run_id)


def check_installed() -> None:
    """Raise Precondition where KETAV_FAULT_DIR is set and no fault points are installed."""
    if DIRECTORY in os.environ:
        _installed()


@cache
def _installed() -> Callable[[str, str], None]:
    """Return the function of the installed fault points; it takes a point's name and a run's id."""
    entry = extensions.find(extensions.FAULT_POINTS)
    if entry is None:
        raise Precondition(
            f"{DIRECTORY} is set, but no fault points are installed. Unset it: only the fault tests use it.",
            code="no-fault-points",
        )
    function: Callable[[str, str], None] = entry.load()
    return function
