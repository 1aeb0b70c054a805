"""uvicorn's HTTP/1.1 protocol, with a bound on slow headers and problems instead of plain text."""

import asyncio
import json
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_LINGER_S = 1.0
_MALFORMED = {
    "type": "urn:ketav:problem:malformed-request",
    "title": "Bad Request",
    "status": 400,
    "detail": "This is not HTTP/1.1, or its headers are too large.",
    "code": "malformed-request",
}


class GatewayProtocol(H11Protocol):
    """A connection whose requests must send all their headers within `header_timeout_s`."""

    header_timeout_s: ClassVar[float] = 10.0
    _header_timer: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Handle bytes; a request that is still incomplete is watched."""
        if self._refused:
            return
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        """Run the timer exactly while a request's headers are awaited on a connection that has begun one."""
        idle = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if idle and (self.cycle is None or self.conn.trailing_data[0]):
            if self._header_timer is None:
                self._header_timer = self.loop.call_later(self.header_timeout_s, self.transport.close)
        elif self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem, if an answer is still possible."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        body = json.dumps({**_MALFORMED, "detail": f"{_MALFORMED['detail']} {msg}"}).encode()
        headers: list[tuple[bytes, bytes]] = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        events: list[Any] = [
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ]
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        # Closed at once, what is still being sent would reset the connection and take the answer with it.
        self._refused = True
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)


def protocol(header_timeout_s: float) -> type[GatewayProtocol]:
    """Return the protocol with its bound on slow headers in seconds."""
    return type("BoundedProtocol", (GatewayProtocol,), {"header_timeout_s": header_timeout_s})
