"""A DNS server for tests: one name whose addresses a test may change (RFC 1035, A records only)."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_HEADER = 12
_A, _IN = 1, 1


class Names(asyncio.DatagramProtocol):
    """Answers every question for an A record with `addresses`, and any other with nothing."""

    def __init__(self, addresses: list[str]) -> None:
        """Take the first addresses."""
        self.addresses = addresses
        self.questions = 0
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one question (sections 4.1.1 to 4.1.3)."""
        end = data.index(0, _HEADER) + 1
        kind, _ = struct.unpack("!HH", data[end : end + 4])
        addresses = self.addresses if kind == _A else []
        self.questions += kind == _A
        flags = 0x8580  # an answer, authoritative, recursion wanted and offered, no error
        answer = data[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + data[_HEADER : end + 4]
        for address in addresses:
            answer += struct.pack("!HHHIH", 0xC00C, _A, _IN, 0, 4) + socket.inet_aton(address)
        assert self._transport is not None
        self._transport.sendto(answer, addr)


@asynccontextmanager
async def serve_names(addresses: list[str]) -> AsyncIterator[Names]:
    """Serve one name on a free port of 127.0.0.1."""
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(
        lambda: Names(addresses), local_addr=("127.0.0.1", 0)
    )
    try:
        yield names
    finally:
        transport.close()
