"""Ends the processes of a supervisor that was killed (run as a script, standard library only).

The supervisor reports on standard input which process groups it starts (`+123`) and ends (`-123`). The input
ends with the supervisor: the groups that are left get SIGTERM, and SIGKILL after a timeout.
"""

import contextlib
import os
import signal
import sys
import time

STOP_TIMEOUT_S = 5.0
POLL_S = 0.1


def signal_groups(groups: set[int], number: int) -> set[int]:
    """Send a signal to the groups and return those that still have a process."""
    alive = set()
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            alive.add(group)
    return alive


def read_groups() -> set[int]:
    """Read the supervisor's reports until it ends; return the groups that are left."""
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        if change == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Wait for the supervisor's end, then end the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = signal_groups(read_groups(), signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_S)
        groups = signal_groups(groups, 0)
    signal_groups(groups, signal.SIGKILL)


if __name__ == "__main__":
    main()
