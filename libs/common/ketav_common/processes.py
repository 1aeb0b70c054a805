"""What a child process that does dangerous work sets up before it begins."""

import errno
import os
import resource
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ketav_common.faults import DIRECTORY
from ketav_common.logging import get_logger

_KEPT: Final = (
    *("PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    DIRECTORY,
)
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_NO_MEMORY: Final = ("allocate memory", "Insufficient memory", "failed to map segment", "bad_alloc")
_SESSION_NICENESS: Final = Path("/proc/self/autogroup")
OUT_OF_MEMORY: Final = 71
"""Exit status of a child that ran out of memory."""


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a child's environment: what programs need, one thread a library, none of our secrets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | _ONE_THREAD | dict(extra or {})


def confine(memory_bytes: int) -> None:
    """Limit this process's address space (0: no limit) and forbid core dumps: they would hold pages.

    The limit holds on Linux only; macOS does not know it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, as Python, torch, OpenCV or the loader may put it."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return any(sign in str(error) for sign in _NO_MEMORY)


def give_way(niceness: int) -> None:
    """Let what else runs on this machine go first: raise this process's niceness, and its session's.

    Linux may share the processor between sessions before it looks at processes (sched(7), autogroup). Where
    it does, this process leaves for a session of its own; a process that leads a group cannot, and stays.
    """
    os.nice(niceness)
    if not _SESSION_NICENESS.exists() or os.getpgrp() == os.getpid():
        return
    # Without a session since the machine started (below an init that began none) there is nothing to read.
    before = int(_SESSION_NICENESS.read_text("ascii").rpartition(" ")[2] or 0)
    os.setsid()
    try:
        _SESSION_NICENESS.write_text(str(max(before, niceness)), "ascii")
    except OSError as error:
        get_logger().warning("session_niceness_unchanged", reason=str(error))


def end_with_parent() -> None:
    """End this process about a second after its parent has ended, however that happened."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    """Wait until the parent is another one, then end at once."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
