"""ASGI middleware around the application: limits, trace and request id, log, metrics, security headers."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ketav_common import context, tracing
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind
from ketav_gateway.http.problem_codes import INTERNAL_DETAIL
from ketav_gateway.http.problems import problem

log = get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PROBES = {"/livez", "/readyz"}
"""Paths that are served above `max_requests` too, so that an overloaded process is not taken for a dead one.

They are requested every few seconds; their successes are logged at level DEBUG.
"""
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_FIRST_FAILURE_STATUS = 400
_CLIENT_CLOSED = 499
"""Status in logs and metrics when the client closed the connection first; nginx uses the same number."""
_OVERLOADED_RETRY_S = 2
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
    ),
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True)
class EdgeLimits:
    """Limits of one process: requests at once, and the seconds between two chunks and for a whole body."""

    max_requests: int
    chunk_timeout_s: float
    body_timeout_s: float
    body_grace_s: float = 10.0
    """Seconds for which a body may arrive at less than the minimum rate."""
    min_body_rate: float = 1024.0
    """Bytes a second."""
    discard_bytes: int = 16 * 1024 * 1024
    """Bytes of a refused body that are read and discarded, so that the client reads its response."""
    discard_s: float = 5.0
    """Seconds that the discarding may take."""


@dataclass
class _Exchange:
    """One request and its response, with the progress of both bodies."""

    scope: Scope
    inner_receive: Receive
    inner_send: Send
    limits: EdgeLimits
    request_id: str
    started: float = field(default_factory=time.monotonic)
    body_started: bool = False
    body_complete: bool = False
    status: int | None = None
    credit_s: float = 0.0
    """Seconds that the next chunk may take: the grace, less the waits, plus what received bytes are worth."""

    def __post_init__(self) -> None:
        """Mark a request without a body as complete."""
        self.credit_s = self.limits.body_grace_s
        headers = Headers(scope=self.scope)
        self.body_complete = "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"

    async def receive(self) -> Message:
        """Receive a message; raises HTTPException 408 when the next chunk of the body is too late."""
        if self.body_complete:
            return await self.inner_receive()
        began = time.monotonic()
        left = min(self.started + self.limits.body_timeout_s - began, self.credit_s)
        try:
            async with asyncio.timeout(min(self.limits.chunk_timeout_s, max(left, 0.0))):
                message = await self.inner_receive()
        except TimeoutError as error:
            self.body_complete = True
            raise HTTPException(
                408,
                "The body of the request arrived too slowly. Send it again over a faster connection.",
                {"Connection": "close"},
            ) from error
        worth_s = len(message.get("body", b"")) / self.limits.min_body_rate
        credit_s = self.credit_s - (time.monotonic() - began) + worth_s
        self.credit_s = min(credit_s, self.limits.body_grace_s)
        self.body_started = True
        self.body_complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a message, with the headers of every response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            await self.discard()
            headers = MutableHeaders(raw=message["headers"])
            if not self.body_complete:
                headers["Connection"] = "close"
            headers["X-Request-Id"] = self.request_id
            for name, value in _SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self.inner_send(message)

    async def discard(self) -> None:
        """Read the rest of a refused body, within limits: a connection closed before loses the response."""
        if self.body_complete or (not self.body_started and "expect" in Headers(scope=self.scope)):
            return
        left = self.limits.discard_bytes
        try:
            async with asyncio.timeout(self.limits.discard_s):
                while left > 0 and not self.body_complete:
                    message = await self.inner_receive()
                    left -= len(message.get("body", b""))
                    more = message["type"] == "http.request" and message.get("more_body", False)
                    self.body_complete = not more
        except TimeoutError:
            log.info("request_body_discard_timed_out")

    def route(self) -> str:
        """Return the template of the route, so that no id or cursor gets into logs and metrics."""
        return str(getattr(self.scope.get("route"), "path", "unmatched"))


def _method(scope: Scope) -> str:
    """Return the method of a request, OTHER for one that no route has."""
    method = str(scope["method"])
    return method if method in _METHODS else "OTHER"


class Edge:
    """The middleware."""

    def __init__(self, app: ASGIApp, *, limits: EdgeLimits, metrics: CollectorRegistry) -> None:
        """Take the wrapped application, the limits, and the registry of the metrics."""
        self._app = app
        self._limits = limits
        self._active = 0
        active = Gauge("ketav_http_requests_active", "Requests in progress.", registry=metrics)
        active.set_function(lambda: self._active)
        self._seconds = Histogram(
            "ketav_http_request_duration_seconds",
            "Time from the headers of a request to the end of its response.",
            ["method", "route", "status"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180),
            registry=metrics,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; every request gets a response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A probe without a caller's trace is no request of a user: its span is not exported.
        kind = SpanKind.INTERNAL if scope["path"] in _PROBES else SpanKind.SERVER
        headers = Headers(scope=scope)
        with tracing.span(_method(scope), kind, headers=headers) as span:
            presented = headers.get("x-request-id", "")
            request_id = presented if _REQUEST_ID.fullmatch(presented) else tracing.trace_id()
            exchange = _Exchange(scope, receive, send, self._limits, request_id)
            self._active += 1
            with context.bind(request_id=request_id):
                try:
                    await self._respond(exchange)
                finally:
                    self._active -= 1
                    self._record(exchange, span)

    async def _respond(self, exchange: _Exchange) -> None:
        """Call the application; an exception becomes a problem."""
        try:
            if self._active > self._limits.max_requests and exchange.scope["path"] not in _PROBES:
                response = problem(
                    503,
                    "overloaded",
                    f"The server handles {self._limits.max_requests} requests, the most that are allowed. "
                    f"Retry after {_OVERLOADED_RETRY_S} seconds.",
                    headers={"Retry-After": str(_OVERLOADED_RETRY_S)},
                )
                await response(exchange.scope, exchange.receive, exchange.send)
                return
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = exchange.status or _CLIENT_CLOSED
        except Exception:
            log.exception("request_crashed")
            if exchange.status is not None:
                raise
            response = problem(500, "internal", INTERNAL_DETAIL)
            await response(exchange.scope, exchange.receive, exchange.send)

    def _record(self, exchange: _Exchange, span: tracing.Span) -> None:
        """Log and count a finished request, and complete its span."""
        seconds = time.monotonic() - exchange.started
        method, route = _method(exchange.scope), exchange.route()
        status = exchange.status or _CLIENT_CLOSED
        span.update_name(f"{method} {route}")
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            tracing.fail(span, str(status))
        self._seconds.labels(method, route, str(status)).observe(seconds)
        probed = route in _PROBES and status < _FIRST_FAILURE_STATUS
        write = log.debug if probed else log.info
        write(
            "request_handled",
            method=exchange.scope["method"][:16],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 1),
        )
