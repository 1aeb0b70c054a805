"""Outlive the supervisor just long enough to end what it started (run as a script, standard library only).

The supervisor tells through standard input which process groups it starts (`+123`) and ends (`-123`).
When the input ends, the supervisor is gone: the groups that are left get SIGTERM, and after a while SIGKILL.
"""

import contextlib
import os
import signal
import sys
import time

PATIENCE_S = 5.0
POLL_S = 0.1


def tell(groups: set[int], number: int) -> set[int]:
    """Signal the groups and give those that still have a process."""
    alive = set()
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            alive.add(group)
    return alive


def read_groups() -> set[int]:
    """Follow the supervisor until it is gone; give the groups it left."""
    groups: set[int] = set()
    for line in sys.stdin:
        change, group = line[0], int(line[1:])
        if change == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def main() -> None:
    """Wait for the supervisor's end and clear up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = tell(read_groups(), signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_S
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_S)
        groups = tell(groups, 0)
    tell(groups, signal.SIGKILL)


if __name__ == "__main__":
    main()
