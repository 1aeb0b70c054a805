"""Wraps every outgoing RPC: identity, request id, trace and deadline."""

import asyncio
from typing import Any

import grpc

from ketav_common import context, tracing
from ketav_common.identity import Signer, audience_of
from ketav_common.interceptor import IDENTITY_KEY, REQUEST_ID_KEY
from ketav_common.tracing import Span


class _Outgoing:
    """Adds identity, request id, trace and deadline to the details of an outgoing call."""

    def __init__(self, signer: Signer, seconds: float) -> None:
        """Take the signer and the default deadline in seconds."""
        self._signer = signer
        self._seconds = seconds

    def _details(self, details: grpc.aio.ClientCallDetails, span: Span) -> grpc.aio.ClientCallDetails:
        """Return the details with identity, request id, trace and deadline."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *tracing.headers_of(span).items())
        identity = context.identity_or_none()
        if identity is not None:
            metadata.add(IDENTITY_KEY, self._signer.sign(identity, audience_of(_name_of(details))))
        metadata.add(REQUEST_ID_KEY, context.request_id())
        timeout = self._seconds if details.timeout is None else details.timeout
        return grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )

    async def _continue(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's
        """Continue the call with the completed details, in a span."""
        method = _name_of(details)
        span = tracing.start_client_span(method[1:], {"rpc.system": "grpc", "rpc.method": method})
        try:
            call = await continuation(self._details(details, span), request)
        except BaseException:
            span.end()
            raise
        if span.is_recording():
            ending = asyncio.create_task(_end_span(span, call))
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)
        return call


def _name_of(details: Any) -> str:  # noqa: ANN401 - grpc's
    """Return the full name of the method that is called, such as /ketav.registry.v1.PageService/GetPage."""
    return details.method.decode() if isinstance(details.method, bytes) else str(details.method)


async def _end_span(span: Span, call: Any) -> None:  # noqa: ANN401 - one of grpc's types of calls
    """End the span of a call when the call ends; it fails with any code but OK."""
    try:
        code = await call.code()
        span.set_attribute("rpc.response.status_code", code.name)
        if code is not grpc.StatusCode.OK:
            tracing.fail(span, code.name)
    finally:
        span.end()


_ENDING: set[asyncio.Task[None]] = set()
"""The tasks that wait for the ends of calls: an event loop keeps no strong reference to its tasks."""


# grpc needs one class for each type of call; they differ in the name of one method.
class _UnaryUnary(_Outgoing, grpc.aio.UnaryUnaryClientInterceptor):
    """Calls with one request and one response."""

    intercept_unary_unary = _Outgoing._continue  # type: ignore[assignment]  # noqa: SLF001


class _UnaryStream(_Outgoing, grpc.aio.UnaryStreamClientInterceptor):
    """Calls with one request and many responses."""

    intercept_unary_stream = _Outgoing._continue  # type: ignore[assignment]  # noqa: SLF001


class _StreamUnary(_Outgoing, grpc.aio.StreamUnaryClientInterceptor):
    """Calls with many requests and one response."""

    intercept_stream_unary = _Outgoing._continue  # type: ignore[assignment]  # noqa: SLF001


class _StreamStream(_Outgoing, grpc.aio.StreamStreamClientInterceptor):
    """Calls with many requests and many responses."""

    intercept_stream_stream = _Outgoing._continue  # type: ignore[assignment]  # noqa: SLF001


CLIENT_INTERCEPTORS = (_UnaryUnary, _UnaryStream, _StreamUnary, _StreamStream)
"""The interceptors of a channel, one for each type of call."""
