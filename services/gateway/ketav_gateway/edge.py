"""What every request passes first and last: bounds, its id, the log event, the metrics, security headers."""

import asyncio
import re
import time
import uuid
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ketav_common import context
from ketav_common.logging import get_logger
from ketav_gateway import problems

log = get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Busy is not dead: whoever watches the process gets an answer.
_ALWAYS = {"/livez", "/readyz", "/metrics"}
_CLIENT_GONE = 499  # nginx's number for it; never sent
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    ),
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class Bounds:
    """How much one process takes on: requests at once, seconds between body chunks and for a whole body."""

    max_requests: int
    chunk_timeout_s: float
    body_timeout_s: float
    # What is read and thrown away of an unwanted body, so that the client gets to see its answer.
    discard_bytes: int = 16 * 1024 * 1024
    discard_s: float = 5.0


@dataclass
class _Exchange:
    """One request on its way: what was received and sent of it."""

    scope: Scope
    inner_receive: Receive
    inner_send: Send
    bounds: Bounds
    request_id: str
    started: float = field(default_factory=time.monotonic)
    begun: bool = False
    complete: bool = False
    status: int | None = None

    def __post_init__(self) -> None:
        """Count a request without a body as complete."""
        headers = Headers(scope=self.scope)
        self.complete = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"

    async def receive(self) -> Message:
        """Receive with the bounds of a slow body; after the body only the client's leaving is awaited."""
        if self.complete:
            return await self.inner_receive()
        left = self.started + self.bounds.body_timeout_s - time.monotonic()
        try:
            async with asyncio.timeout(min(self.bounds.chunk_timeout_s, max(left, 0.0))):
                message = await self.inner_receive()
        except TimeoutError as error:
            self.complete = True
            raise HTTPException(
                408, "The request's body came too slowly.", {"Connection": "close"}
            ) from error
        self.begun = True
        self.complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send, with the headers that every answer carries."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self.discard()
            headers = MutableHeaders(raw=message["headers"])
            if not self.complete:
                headers["Connection"] = "close"
            headers["X-Request-Id"] = self.request_id
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self.inner_send(message)

    async def discard(self) -> None:
        """Read the rest of an unwanted body, within bounds: a connection closed over it loses the answer."""
        if self.complete or (not self.begun and "expect" in Headers(scope=self.scope)):
            return
        left = self.bounds.discard_bytes
        try:
            async with asyncio.timeout(self.bounds.discard_s):
                while left > 0 and not self.complete:
                    message = await self.inner_receive()
                    left -= len(message.get("body", b""))
                    self.complete = message["type"] != "http.request" or not message.get("more_body", False)
        except TimeoutError:
            log.info("request_body_abandoned")

    def route(self) -> str:
        """Return the template of the route that was taken: never an id or a cursor."""
        return str(getattr(self.scope.get("route"), "path", "unmatched"))


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, bounds: Bounds, metrics: CollectorRegistry) -> None:
        """Take the application behind, the bounds of a request, and where the metrics go."""
        self._app = app
        self._bounds = bounds
        self._active = 0
        self._seconds = Histogram(
            "ketav_http_request_duration_seconds",
            "Time from a request's headers to the end of its answer.",
            ["method", "route", "status"],
            registry=metrics,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whatever happens, with an answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        presented = Headers(scope=scope).get("x-request-id", "")
        request_id = presented if _REQUEST_ID.fullmatch(presented) else uuid.uuid4().hex
        exchange = _Exchange(scope, receive, send, self._bounds, request_id)
        self._active += 1
        with context.bind(request_id=request_id):
            try:
                await self._answer(exchange)
            finally:
                self._active -= 1
                self._record(exchange)

    async def _answer(self, exchange: _Exchange) -> None:
        """Call the application; turn its failure into a problem."""
        try:
            if self._active > self._bounds.max_requests and exchange.scope["path"] not in _ALWAYS:
                answer = problems.problem(
                    503, "overloaded", "Too many requests are under way.", headers={"Retry-After": "2"}
                )
                await answer(exchange.scope, exchange.receive, exchange.send)
                return
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_GONE
        except Exception:
            log.exception("request_crashed")
            if exchange.status is not None:
                raise
            answer = problems.problem(500, "internal", problems.INTERNAL_DETAIL)
            await answer(exchange.scope, exchange.receive, exchange.send)

    def _record(self, exchange: _Exchange) -> None:
        """Log and count the finished request."""
        seconds = time.monotonic() - exchange.started
        method = exchange.scope["method"]
        status = exchange.status or _CLIENT_GONE
        known = method if method in {"GET", "POST", "PUT", "DELETE"} else "OTHER"
        self._seconds.labels(known, exchange.route(), str(status)).observe(seconds)
        log.info(
            "request_handled",
            method=method[:16],
            route=exchange.route(),
            status=status,
            duration_ms=round(seconds * 1000, 1),
        )
