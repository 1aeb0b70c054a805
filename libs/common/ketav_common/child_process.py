"""Child processes for dangerous or heavy work: decoding images, reading, training, converting models.

Whatever hostile bytes or a full memory do there ends the child and nothing else. A child is a Python module,
started fresh (never forked: torch does not survive it), without the service's secrets, under limits, on a
socket of its own (`child_channel`); `child_main` is its side.
"""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from ketav_common.child_channel import (
    BEAT,
    LENGTHS,
    OUT_OF_MEMORY,
    BadFrameError,
    ChildLimits,
    Frame,
    decode,
    decode_lengths,
    encode,
)
from ketav_common.faults import DIRECTORY

__all__ = ["ChildDiedError", "ChildLimits", "ChildProcess", "Frame"]

_STDERR: Final = 2
_INHERITED: Final = (
    "PATH",
    "PYTHONPATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "NUMBA_CACHE_DIR",
    "MPLCONFIGDIR",
    "CUDA_VISIBLE_DEVICES",
    DIRECTORY,
)
"""Variables that a child inherits: what finds Python and its libraries. No secret is among them."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""One thread for each library: services start as many children as there are processors to use."""
_ENDING_S: Final = 5.0
"""Seconds that a child which has closed its socket may take to end."""


class ChildDiedError(Exception):
    """The child ended, was killed, took too long, or sent something that is no frame."""

    def __init__(self, reason: str, status: int | None = None, *, timed_out: bool = False) -> None:
        """Take the reason, for logs, and the exit status (negative: the signal) where it is known.

        `timed_out`: the caller's limit of time was exceeded, and the child was killed for it.
        """
        super().__init__(reason)
        self.status = status
        self.timed_out = timed_out

    @property
    def out_of_memory(self) -> bool:
        """Return whether the child reported that memory ran out."""
        return self.status == OUT_OF_MEMORY

    @property
    def killed(self) -> bool:
        """Return whether SIGKILL ended the child: the parent, the kernel when memory is full, a person."""
        return self.status == -signal.SIGKILL


class ChildProcess:
    """One running child. All methods belong to the event loop that started it."""

    def __init__(self, process: Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the process and this side's end of its socket; `start` makes both."""
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(
        cls,
        module: str,
        limits: ChildLimits,
        *,
        setup: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> Self:
        """Start `python -m module` and send it its limits and settings; it confines itself before it works.

        `setup` is a JSON object for the child, `environment` are variables besides the inherited ones; a
        `quiet` child's error output is dropped, as that of decoders which complain of every damaged file.
        """
        parent_end, child_end = socket.socketpair()
        process: Process | None = None
        try:
            with child_end:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    module,
                    str(child_end.fileno()),
                    env=_environment() | dict(environment or {}),
                    stdin=DEVNULL,
                    stdout=DEVNULL if quiet else _STDERR,
                    stderr=DEVNULL if quiet else None,
                    pass_fds=[child_end.fileno()],
                )
            reader, writer = await asyncio.open_connection(sock=parent_end)
        except BaseException:  # also when the caller is cancelled: no process remains without an owner
            parent_end.close()
            if process is not None:
                await _kill(process)
            raise
        child = cls(process, reader, writer)
        try:
            await child.send({"limits": asdict(limits), "setup": dict(setup or {})})
        except BaseException:
            await child.end()
            raise
        return child

    @property
    def pid(self) -> int:
        """Return the child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Return whether the child has not ended."""
        return self._process.returncode is None

    async def ask(
        self,
        message: Mapping[str, Any],
        payload: bytes = b"",
        *,
        seconds: float,
        silence_s: float | None = None,
    ) -> Frame:
        """Send a frame and return the answer.

        Raises ChildDiedError when the child ends before it answers, takes longer than `seconds`, or sends no
        heartbeat for `silence_s` seconds (None: it sends none); the child is gone then. A caller that is
        cancelled here must end the child: its next frame answers this one.
        """
        try:
            async with asyncio.timeout(seconds):
                async with asyncio.timeout(silence_s):
                    await self.send(message, payload)
                while True:
                    async with asyncio.timeout(silence_s):
                        frame = await self.receive()
                    if BEAT not in frame.message:
                        return frame
        except TimeoutError as error:
            status = await self.end()
            raise ChildDiedError(f"no answer within {seconds:g} seconds", status, timed_out=True) from error

    @property
    def resident_bytes(self) -> int:
        """Return the bytes of memory that the child occupies; 0 where the system does not say."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize()

    async def send(self, message: Mapping[str, Any], payload: bytes = b"") -> None:
        """Send a frame; raises ChildDiedError when the child has closed its end."""
        try:
            self._writer.write(encode(Frame(dict(message), payload)))
            self._writer.write(payload)
            await self._writer.drain()
        except ConnectionError as error:
            raise await self._died() from error

    async def receive(self) -> Frame:
        """Return the child's next frame; raises ChildDiedError when the child ends instead."""
        try:
            lengths = decode_lengths(await self._reader.readexactly(LENGTHS.size))
            parts = [await self._reader.readexactly(length) for length in lengths]
            return decode(*parts)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._died() from error
        except BadFrameError as error:
            await self.end()
            raise ChildDiedError(f"the child sent {error}") from error

    def kill(self) -> None:
        """Kill the child if it runs, without waiting; callers of `ask` and `receive` get ChildDiedError."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> int:
        """Kill the child, wait until it is gone, close the socket and return the exit status."""
        status = await _kill(self._process)
        self._writer.transport.abort()
        return status

    async def _died(self) -> ChildDiedError:
        """Return the error of a child that has closed its end: it is ending, or it is to end."""
        try:
            status = await asyncio.wait_for(self._process.wait(), _ENDING_S)
        except TimeoutError:
            status = None
        killed = await self.end()
        status = killed if status is None else status
        return ChildDiedError(_describe(status), status)


async def _kill(process: Process) -> int:
    """Kill a process if it runs, wait until it is gone, and return its exit status."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    return await asyncio.shield(process.wait())


def _describe(status: int) -> str:
    """Return how a child ended, for logs."""
    if status < 0:
        return f"the child was ended by signal {-status}"
    return f"the child ended with status {status}"


def _environment() -> dict[str, str]:
    """Return the variables of a child: the inherited ones, and one thread for each library."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | _ONE_THREAD
