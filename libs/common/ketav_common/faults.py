"""Named points at which the fault tests stop a process, to kill it exactly there; see docs/faults.md.

Without the environment variable KETAV_FAULT_DIR, which only those tests set, a point looks up that name only.
"""

import os
import signal
from pathlib import Path
from typing import Final

DIRECTORY: Final = "KETAV_FAULT_DIR"
"""Names the folder in which a test orders stops: a file `POINT/<anything>.armed` each."""


def reached(point: str, run_id: str = "") -> None:
    """Stop this process (SIGSTOP) if a test has ordered so for this point; otherwise do nothing.

    The order is taken once: the file becomes `<anything>.taken` and says who stopped: process id and run.
    """
    folder = os.environ.get(DIRECTORY)
    if folder is None:
        return
    for order in sorted(Path(folder, point).glob("*.armed")):
        taken = order.with_suffix(".taken")
        try:
            order.rename(taken)
        except FileNotFoundError:  # another process took it
            continue
        taken.write_text(f"{os.getpid()} {run_id}\n", "utf-8")
        os.kill(os.getpid(), signal.SIGSTOP)
        return
