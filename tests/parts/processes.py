"""Starting a real server for tests and stopping it again."""

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil


def free_port() -> int:
    """Return a free TCP port below 20000: some servers also use the port 10000 above."""
    for port in range(10000 + time.time_ns() // 1000 % 9000, 20000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


def live_children(of: int, command: str = "") -> list[psutil.Process]:
    """Return the children of a process that have `command` among their arguments; one may end meanwhile."""
    alive = []
    for child in psutil.Process(of).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            words = child.cmdline()
            if child.status() != psutil.STATUS_ZOMBIE and (not command or command in words):
                alive.append(child)
    return alive


@contextlib.contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Suspend a process and its descendants (SIGSTOP) while the block runs; some may end meanwhile."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # PostgreSQL ends workers of its own
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def wait_until(ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path) -> None:
    """Call `ready` until it raises nothing, for at most 30 seconds."""
    deadline = time.monotonic() + 30
    while True:
        try:
            ready()
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r} did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    ready: Callable[[], object],
    *,
    stop: signal.Signals = signal.SIGTERM,
    env: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it is killed when it does not stop within 10 seconds."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, env=env)
    try:
        wait_until(ready, process, log)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
