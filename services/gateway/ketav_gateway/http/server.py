"""uvicorn's HTTP/1.1 protocol with a timeout for headers, and problems for malformed requests."""

import asyncio
import json
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ketav_common import tracing
from ketav_common.logging import get_logger

log = get_logger()

_HEADER_MARKS = len(": \r\n")
"""Bytes of a header besides its name and its value."""
_LINGER_S = 1.0
"""Seconds that a refused connection stays open for the client to read the response."""
_MALFORMED = {
    "type": "urn:ketav:problem:malformed-request",
    "title": "Bad Request",
    "status": 400,
    "code": "malformed-request",
}
_MALFORMED_DETAIL = (
    "The request is not valid HTTP/1.1, or its headers are larger than 32 KiB. Send a valid request."
)


class _Connection(h11.Connection):
    """Parses requests whose line and headers have at most `max_header_bytes` bytes.

    h11 limits only what has arrived without its end: headers that arrive whole may have any size.
    """

    def __init__(self, max_header_bytes: int) -> None:
        """Take the limit in bytes."""
        super().__init__(h11.SERVER, max_header_bytes)
        self._max_header_bytes = max_header_bytes

    def next_event(self) -> Any:  # noqa: ANN401 - one of h11's events
        """Return the next event; raises RemoteProtocolError for a request with larger headers."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            size = len(event.method) + len(event.target)
            size += sum(len(name) + len(value) + _HEADER_MARKS for name, value in event.headers)
            if size > self._max_header_bytes:
                raise h11.RemoteProtocolError("the headers are too large", error_status_hint=431)
        return event


class GatewayProtocol(H11Protocol):
    """A connection whose requests must send all their headers within `header_timeout_s` seconds."""

    header_timeout_s: ClassVar[float] = 10.0
    _header_timer: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Limit the headers, and start the timer for the first request."""
        super().connection_made(transport)
        if self.config.h11_max_incomplete_event_size is not None:
            self.conn = _Connection(self.config.h11_max_incomplete_event_size)
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Handle received bytes and start or stop the timer."""
        if self._refused:
            return
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        """Run the timer exactly while a request has begun and its headers are incomplete."""
        idle = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if idle and (self.cycle is None or self.conn.trailing_data[0]):
            if self._header_timer is None:
                self._header_timer = self.loop.call_later(self.header_timeout_s, self.transport.close)
        elif self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def send_400_response(self, msg: str) -> None:
        """Send a problem for a malformed request, if it can still be sent, and close the connection."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.close()
            return
        with tracing.span("malformed request") as span:
            log.info("request_malformed")
        members = {"detail": _MALFORMED_DETAIL, "reason": msg, "trace_id": tracing.trace_id(span)}
        body = json.dumps(_MALFORMED | members).encode()
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
        # If the socket were closed now, bytes that still arrive would reset the connection before the client
        # has read the response.
        self._refused = True
        self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)


def protocol(header_timeout_s: float) -> type[GatewayProtocol]:
    """Return the protocol class with this timeout in seconds for request headers."""
    return type("BoundedProtocol", (GatewayProtocol,), {"header_timeout_s": header_timeout_s})
