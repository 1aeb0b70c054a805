"""The child's side of `ketav_common.child_process`: what every child process does before and around its work.

A child's module ends with `if __name__ == "__main__": run(serve)`. Only the standard library is imported
here: a child that decodes images starts in a few hundredths of a second.
"""

import errno
import os
import resource
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from ketav_common.child_channel import (
    BEAT,
    BEAT_S,
    LENGTHS,
    OUT_OF_MEMORY,
    ChildLimits,
    Frame,
    decode,
    decode_lengths,
    encode,
)

_MEMORY_ERRORS: Final = ("allocate memory", "Insufficient memory", "failed to map segment", "bad_alloc")
_SESSION_NICENESS: Final = Path("/proc/self/autogroup")
_PARENT_CHECK_S: Final = 1.0
"""Seconds between two checks whether the parent still runs."""


class ParentGoneError(Exception):
    """The parent has ended or has closed the socket: there is nothing more to do."""


class Channel:
    """The child's end of the socket to its parent."""

    def __init__(self, connection: socket.socket, limits: ChildLimits, setup: dict[str, Any]) -> None:
        """Take the socket, the limits that hold here, and the parent's settings for this child."""
        self._connection = connection
        self._limits = limits
        self._sending = threading.Lock()
        self.setup = setup

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """Take over a file descriptor, receive the first frame from it and apply the limits that it names."""
        connection = socket.socket(fileno=descriptor)
        frame = _receive(connection)
        limits = ChildLimits(**frame.message["limits"])
        _apply(limits)
        return cls(connection, limits, frame.message["setup"])

    def receive(self, wait_s: float | None = None) -> Frame | None:
        """Return the next frame; None when none began within `wait_s` seconds.

        The limit of processor time begins again. Raises ParentGoneError when the parent has closed its end.
        """
        if wait_s is not None and not select.select([self._connection], [], [], wait_s)[0]:
            return None
        frame = _receive(self._connection)
        _allow_cpu(self._limits.request_cpu_seconds)
        return frame

    def send(self, message: dict[str, Any], payload: bytes = b"") -> None:
        """Send a frame; raises ParentGoneError when the parent has closed its end."""
        try:
            with self._sending:
                self._connection.sendall(encode(Frame(message, payload)))
                self._connection.sendall(payload)
        except ConnectionError as error:
            raise ParentGoneError from error

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Send a heartbeat every second while the block runs, from a thread of its own.

        A process that is stopped, or in which a library holds Python's lock forever, sends none.
        """
        done = threading.Event()
        thread = threading.Thread(target=self._beat, args=(done,), daemon=True, name="heartbeats")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _beat(self, done: threading.Event) -> None:
        """Send heartbeats until the block is done or the parent is gone."""
        with suppress(ParentGoneError):
            while not done.wait(BEAT_S):
                self.send({BEAT: True})


def run(serve: Callable[[Channel], None], *, niceness: int = 0) -> None:
    """Set this process up as a child and call `serve` until it returns or the parent closes the socket.

    The socket's file descriptor is the first argument of the command line. SIGINT and SIGTERM are ignored:
    the parent decides when its child ends, and without a parent it ends by itself. When memory runs out, the
    process ends with the status OUT_OF_MEMORY.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _end_with_parent()
    if niceness:
        lower_priority(niceness)
    try:
        serve(Channel.inherited(int(sys.argv[1])))
    except ParentGoneError:
        return
    except Exception as error:
        if is_out_of_memory(error):
            os._exit(OUT_OF_MEMORY)
        raise


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out, in Python, torch, OpenCV or the loader."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return any(text in str(error) for text in _MEMORY_ERRORS)


def lower_priority(niceness: int) -> None:
    """Raise the niceness of this process and of its session, so that other work on the machine goes first.

    Linux may share the processor between sessions before it compares processes (sched(7), autogroup). Where
    it does, this process begins a session of its own; the leader of a process group cannot, and stays.
    """
    os.nice(niceness)
    if not _SESSION_NICENESS.exists() or os.getpgrp() == os.getpid():
        return
    # The file is empty for a process without a session since the machine started (below some inits).
    before = int(_SESSION_NICENESS.read_text("ascii").rpartition(" ")[2] or 0)
    os.setsid()
    try:
        _SESSION_NICENESS.write_text(str(max(before, niceness)), "ascii")
    except OSError as error:
        sys.stderr.write(f"session niceness unchanged: {error}\n")


def _apply(limits: ChildLimits) -> None:
    """Limit this process; this is the only place where limits are set."""
    bounds = {
        resource.RLIMIT_DATA: limits.data_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_AS: limits.memory_bytes if sys.platform == "linux" else 0,
    }
    _allow_cpu(limits.request_cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, bound in bounds.items():
        if bound:
            resource.setrlimit(kind, (bound, bound))


def _allow_cpu(seconds: int) -> None:
    """Allow this process so many more seconds of processor time; 0 leaves it unlimited."""
    if not seconds:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _end_with_parent() -> None:
    """End this process about a second after its parent, however the parent ended."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True, name="end-with-parent").start()


def _watch(parent: int) -> None:
    """End this process at once when its parent is another one than at the start."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_S)
    os._exit(0)


def _receive(connection: socket.socket) -> Frame:
    """Return the next frame; raises ParentGoneError when the other end is closed."""
    message_length, payload_length = decode_lengths(_read(connection, LENGTHS.size))
    return decode(_read(connection, message_length), _read(connection, payload_length))


def _read(connection: socket.socket, length: int) -> bytes:
    """Return exactly so many bytes; raises ParentGoneError when the other end closes before the last one."""
    content = bytearray(length)
    view = memoryview(content)
    while view:
        try:
            count = connection.recv_into(view)
        except ConnectionError as error:
            raise ParentGoneError from error
        if not count:
            raise ParentGoneError
        view = view[count:]
    return bytes(content)
