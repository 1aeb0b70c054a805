"""uvicorn's HTTP/1.1 protocol, with a bound on slow headers and problems instead of plain text."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_HEADER_TIMEOUT_S = 10.0
_MALFORMED = {
    "type": "urn:ketav:problem:malformed-request",
    "title": "Bad Request",
    "status": 400,
    "detail": "This is not HTTP/1.1, or its headers are too large.",
    "code": "malformed-request",
}


class GatewayProtocol(H11Protocol):
    """A connection whose requests must have sent all their headers ten seconds after their first byte."""

    _header_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Handle bytes; a request that is still incomplete is watched."""
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
        waiting = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        fresh = self.cycle is None or bool(self.conn.trailing_data[0])
        if waiting and fresh:
            if self._header_timer is None:
                self._header_timer = self.loop.call_later(_HEADER_TIMEOUT_S, self.transport.close)
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
        self.transport.close()
