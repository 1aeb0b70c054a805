"""Shows that a process without a server runs: a file that it touches every two seconds.

The supervisor and Kubernetes restart the process when the file grows old. A process that is stopped, or in
which a library holds Python's lock forever, touches nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BEAT_S: Final = 2.0


@contextmanager
def beating(path: Path | None) -> Iterator[None]:
    """Touch a file every two seconds while the block runs, from a thread; without a path nothing is done."""
    if path is None:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(path, done), daemon=True, name="beats")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beat(path: Path, done: threading.Event) -> None:
    """Touch a file until the block is done."""
    path.touch()
    while not done.wait(BEAT_S):
        path.touch()
