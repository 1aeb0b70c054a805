"""One reader process and its successors, as the server holds them."""

import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pickle import UnpicklingError

from ketav_common.processes import child_environment
from ketav_recognizer.domain import Answer, ReaderSpec, Task
from ketav_recognizer.reader import READY


class ReaderDiedError(Exception):
    """The reader process ended, was killed, or took too long."""


class ReaderProcess:
    """A place for one reader process. `start`, `read` and `reap` block and belong in a thread."""

    def __init__(self, spec: ReaderSpec) -> None:
        """Take what the reader is; it is started later."""
        self._spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._guard = threading.Lock()
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether there is a process and it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Process id of the reader, None when there is none."""
        return self._process.pid if self._process else None

    def start(self, timeout_s: float) -> None:
        """Start a fresh process and wait until it is warm; raise ReaderDiedError if it does not get there."""
        self.kill()
        self.reap()
        self._spawn()
        connection = self._connected()
        try:
            connection.send(self._spec)
            if not connection.poll(timeout_s) or connection.recv() != READY:
                self.kill()
                raise ReaderDiedError("the reader did not get ready in time")
        except (EOFError, OSError) as error:
            self.kill()
            raise ReaderDiedError("the reader ended before it was ready") from error

    def read(self, task: Task) -> Answer:
        """Have one task answered; raise ReaderDiedError when the process ends before its answer."""
        connection = self._connected()
        try:
            connection.send(task)
            answer: Answer = connection.recv()
        except (EOFError, OSError, UnpicklingError) as error:
            self.kill()
            raise ReaderDiedError(f"the reader ended with status {self.reap()}") from error
        return answer

    def kill(self) -> None:
        """Kill the process, if any; whoever waits for its answer gets ReaderDiedError."""
        with self._guard:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def close(self) -> None:
        """Kill the process for good: none is started again. Does not block."""
        with self._guard:
            self._closed = True
        self.kill()

    def reap(self) -> int | None:
        """Wait for a killed process and drop its connection; return its exit status, if there was one."""
        status = self._process.wait() if self._process is not None else None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        return status

    def _spawn(self) -> None:
        """Start a process with one end of a socket pair and without the service's secrets."""
        ours, theirs = socket.socketpair()
        with theirs, self._guard:
            if self._closed:
                ours.close()
                raise ReaderDiedError("the service is stopping")
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no outside argument
                [sys.executable, "-m", "ketav_recognizer.reader", str(theirs.fileno())],
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._connection = Connection(ours.detach())

    def _connected(self) -> Connection:
        """Return the connection to the process; raise ReaderDiedError when there is none."""
        if self._connection is None:
            raise ReaderDiedError("the reader was never started")
        return self._connection
