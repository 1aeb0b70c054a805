"""A TCP proxy between a service and a store, which delays, slices, stops, cuts and damages the bytes."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_CHUNK_BYTES = 64 * 1024
_SLICED_BYTES = 512
"""Bytes of each chunk that are sent one by one; the rest follows in one piece."""
_MIN_FLIPPED_BYTES = 1024
"""A chunk of fewer bytes is headers or a status, and is not damaged."""
_COMMIT = b"COMMIT"


@dataclass
class NetworkFault:
    """The fault of the bytes in both directions; the default is none."""

    latency_s: float = 0.0
    sliced: bool = False
    half_open: bool = False
    """Nothing is passed on, and no connection is closed."""
    flip_to_store: float = 0.0
    """Share of the large chunks to the store in which a bit is flipped."""
    flip_from_store: float = 0.0
    max_flips: int = 2**31
    """Damaged chunks after which the proxy damages no more."""
    cut_commits: float = 0.0
    """Share of the commits after which the connection is cut: PostgreSQL gets it, its answer is lost."""


@dataclass
class TcpProxy:
    """Passes connections on to a port of this machine."""

    target: int
    fault: NetworkFault = field(default_factory=NetworkFault)
    port: int = 0
    injected: int = 0
    """Damaged chunks and cut commits so far."""
    _random: random.Random = field(default_factory=lambda: random.Random(0))
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _clear: asyncio.Event = field(default_factory=asyncio.Event)

    def set(self, fault: NetworkFault) -> None:
        """Change what happens to the bytes, also those of open connections."""
        self.fault = fault
        (self._clear.clear if fault.half_open else self._clear.set)()

    def reset(self) -> None:
        """Reset all connections: both sides get RST."""
        for writer in list(self._writers):
            self._abort(writer)

    def _abort(self, writer: asyncio.StreamWriter) -> None:
        """Close a connection with RST instead of FIN."""
        connection = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new connection in a task."""
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close all connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # the transports close their sockets

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect to the store and copy in both directions until one side ends."""
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self._abort(writer)
            return
        ends = {writer, to_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._copy(reader, to_writer, writer, to_store=True))
                tasks.create_task(self._copy(to_reader, writer, to_writer, to_store=False))
        except* OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _copy(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        *,
        to_store: bool,
    ) -> None:
        """Copy one direction; its end closes the connection in both."""
        while chunk := await source.read(_CHUNK_BYTES):
            fault = self.fault
            if fault.latency_s:
                await asyncio.sleep(fault.latency_s)
            await self._clear.wait()
            await self._send(self._damaged(chunk, fault, to_store), target, sliced=fault.sliced)
            if to_store and self._is_cut(chunk, fault):
                self.injected += 1
                self._abort(back)
                await target.drain()
                await asyncio.sleep(0.2)  # PostgreSQL reads the commit before it notices the end
                break
        raise ConnectionResetError

    @staticmethod
    async def _send(chunk: bytes, target: asyncio.StreamWriter, *, sliced: bool) -> None:
        """Send a chunk, its first bytes one by one if `sliced`."""
        if sliced:
            for index in range(min(len(chunk), _SLICED_BYTES)):
                target.write(chunk[index : index + 1])
                await asyncio.sleep(0)
            chunk = chunk[_SLICED_BYTES:]
        target.write(chunk)
        await target.drain()

    def _damaged(self, chunk: bytes, fault: NetworkFault, to_store: bool) -> bytes:
        """Return a chunk, with one bit flipped in its second half by the share of its direction."""
        share = fault.flip_to_store if to_store else fault.flip_from_store
        if (
            len(chunk) < _MIN_FLIPPED_BYTES
            or self.injected >= fault.max_flips
            or self._random.random() >= share
        ):
            return chunk
        self.injected += 1
        index = self._random.randrange(len(chunk) // 2, len(chunk))
        return chunk[:index] + bytes([chunk[index] ^ (1 << self._random.randrange(8))]) + chunk[index + 1 :]

    def _is_cut(self, chunk: bytes, fault: NetworkFault) -> bool:
        """Return whether a chunk commits and its connection is cut."""
        return _COMMIT in chunk and self._random.random() < fault.cut_commits


@contextlib.asynccontextmanager
async def tcp_proxy(target: int, seed: int = 0) -> AsyncIterator[TcpProxy]:
    """Listen on a free port while in the context."""
    proxy = TcpProxy(target, _random=random.Random(seed))
    proxy.set(NetworkFault())
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
