"""Fault points: a test arms one by a file, and the process that reaches it stops; see docs/faults.md."""

import os
import signal
from pathlib import Path

from ketav_common.faults import DIRECTORY


def stop_process(point: str, run_id: str) -> None:
    """Stop this process (SIGSTOP) if a test armed this point; otherwise do nothing.

    A test arms a point by a file `POINT/<anything>.armed` in the folder KETAV_FAULT_DIR. The process that
    reaches the point first renames it to `<anything>.taken` and writes its process id and `run_id` into it,
    so that one file stops one process once.
    """
    for armed in sorted(Path(os.environ[DIRECTORY], point).glob("*.armed")):
        taken_file = armed.with_suffix(".taken")
        try:
            armed.rename(taken_file)
        except FileNotFoundError:  # another process took it
            continue
        taken_file.write_text(f"{os.getpid()} {run_id}\n", "utf-8")
        os.kill(os.getpid(), signal.SIGSTOP)
        return
