"""Wraps every RPC that a service handles: identity, deadline, errors, log and metrics."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError
from grpc_status import rpc_status

from ketav_common import context, telemetry, tracing
from ketav_common.disk_room import out_of_room
from ketav_common.errors import Internal, InvalidInput, KetavError, TimedOut, Unauthenticated, to_status
from ketav_common.identity import Identity, Signer, audience_of
from ketav_common.limits import MAX_MODEL_BYTES, MIB
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind

IDENTITY_KEY = "x-ketav-identity"
REQUEST_ID_KEY = "x-request-id"
MAX_REQUEST_ID = 128
"""Characters of a request id that is taken over into the logs."""
OPEN_SERVICES = "/grpc."
"""Prefix of health and reflection: probes call them without an identity."""
# Bytes of a refused upload that are read and dropped: a model at its limit with the framing of its chunks;
# and the seconds that this may take.
MAX_DRAINED_BYTES = MAX_MODEL_BYTES + MIB
DRAIN_SECONDS = 5.0

_SERVER_ERRORS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
"""Codes that mark the span of a handled call as failed; the others are errors of the caller."""

# grpcio's classes are generic in the type stubs only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Checks the caller, bounds the time, translates errors and records the outcome of every call."""

    def __init__(self, signer: Signer, service: str, max_seconds: float = 600) -> None:
        """Take the verifier of identities, the service's name and the longest time a call may take."""
        self._signer = signer
        self._service = service
        self._max_seconds = max_seconds

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Wrap the handler of a method; the handlers of health and reflection stay unchanged.

        The wrapped handler gets messages as bytes: grpc answers UNKNOWN to a message that cannot be decoded.
        """
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(OPEN_SERVICES):
            return handler
        streaming = bool(handler.request_streaming), bool(handler.response_streaming)
        wrap = _wrap_stream if handler.response_streaming else _wrap_unary
        decode = _decode_stream if handler.request_streaming else _decode
        behaviour = wrap(
            self, _behaviour(handler), method, partial(decode, handler.request_deserializer or bytes)
        )
        return _FACTORIES[streaming](behaviour, None, handler.response_serializer)

    @asynccontextmanager
    async def handle_call(
        self, method: str, call: Call, requests: AsyncIterator[bytes] | bytes = b""
    ) -> AsyncIterator[None]:
        """Run a call in a span, under its identity and deadline; end it with a rich status when it fails.

        The rest of a client stream is read and dropped before the answer: a grpc.aio client that is
        interrupted while it sends reports an internal error of its own instead of the answer.
        """
        metadata = {key: value for key, value in call.invocation_metadata() or () if isinstance(value, str)}
        attributes = {"rpc.system": "grpc", "rpc.method": method}
        with tracing.span(method[1:], SpanKind.SERVER, headers=metadata, attributes=attributes) as span:
            code = "OK"
            started = time.monotonic()
            try:
                try:
                    self._set_context(metadata, audience_of(method))
                    async with asyncio.timeout(self._max_seconds):
                        yield
                    await _drain(requests)
                except (grpc.aio.AbortError, asyncio.CancelledError):
                    raise
                except Exception as error:  # noqa: BLE001 - the caller gets it; a defect is logged
                    public = _public_error(error, method)
                    code = public.status.name
                    await _drain(requests)
                    await call.abort_with_status(rpc_status.to_status(to_status(public)))
            except asyncio.CancelledError:
                code = "CANCELLED"
                raise
            finally:
                self._record(method, code, time.monotonic() - started, span)

    def _set_context(self, metadata: dict[str, str], audience: str) -> None:
        """Set request id and caller from the metadata; raises Unauthenticated without a valid identity."""
        sent = metadata.get(REQUEST_ID_KEY, "")
        usable = 0 < len(sent) <= MAX_REQUEST_ID and sent.isascii() and sent.isprintable()
        context.set_for_task(None, sent if usable else uuid4().hex)
        context.set_for_task(self._identity(metadata, audience), context.request_id())

    def _identity(self, metadata: dict[str, str], audience: str) -> Identity:
        """Return the verified identity; raises Unauthenticated when it is missing or not valid."""
        token = metadata.get(IDENTITY_KEY)
        if token is None:
            raise Unauthenticated("The call has no identity token. Sign one and send it as metadata.")
        return self._signer.verify(token, audience)

    def _record(self, method: str, code: str, seconds: float, span: tracing.Span) -> None:
        """Log and count a handled call, and complete its span."""
        span.set_attribute("rpc.response.status_code", code)
        if code in _SERVER_ERRORS:
            tracing.fail(span, code)
        name = method.rpartition("/")[2]
        telemetry.record_call(self._service, name, code, seconds)
        get_logger().info("rpc_handled", method=name, code=code, duration_ms=round(seconds * 1000, 2))


def _public_error(error: Exception, method: str) -> KetavError:
    """Return the error that the caller gets; a defect is logged and becomes Internal."""
    if isinstance(error, KetavError):
        return error
    if isinstance(error, TimeoutError):
        return TimedOut()
    if (unavailable := out_of_room(error)) is not None:
        return unavailable
    get_logger().error("rpc_crashed", method=method, exc_info=error)
    return Internal()


async def _drain(requests: AsyncIterator[bytes] | bytes) -> None:
    """Read and drop the rest of a client stream, within limits of time and size; bytes are one message."""
    if isinstance(requests, bytes):
        return
    left = MAX_DRAINED_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for message in requests:
                left -= len(message)
                if left < 0:
                    return


def _decode(deserialize: Callable[[bytes], Any], encoded: bytes) -> Any:  # noqa: ANN401 - any message
    """Return the message of these bytes. InvalidInput malformed-message: they are none."""
    try:
        return deserialize(encoded)
    except DecodeError as error:
        raise InvalidInput(
            "A message of the call is not valid protobuf. Send the messages that the method's .proto file "
            "describes.",
            code="malformed-message",
        ) from error


async def _decode_stream(
    deserialize: Callable[[bytes], Any], encoded: AsyncIterator[bytes]
) -> AsyncIterator[Any]:
    """Yield the messages of a client stream. Errors: `_decode`."""
    async for item in encoded:
        yield _decode(deserialize, item)


def _behaviour(handler: Handler) -> Callable[..., Any]:
    """Return the function of a handler: exactly one of its four attributes is set."""
    functions = (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
    return next(function for function in functions if function is not None)


def _wrap_unary(
    interceptor: CallInterceptor, behaviour: Callable[..., Any], method: str, decode: Callable[[Any], Any]
) -> Callable[..., Any]:
    """Wrap a behaviour that returns one response."""

    async def call(request: Any, servicer: Call) -> object:  # noqa: ANN401 - bytes or a stream of them
        """Handle one call."""
        async with interceptor.handle_call(method, servicer, request):
            return await behaviour(decode(request), servicer)

    return call


def _wrap_stream(
    interceptor: CallInterceptor, behaviour: Callable[..., Any], method: str, decode: Callable[[Any], Any]
) -> Callable[..., Any]:
    """Wrap a behaviour that yields responses."""

    async def call(request: Any, servicer: Call) -> AsyncIterator[object]:  # noqa: ANN401 - as in _wrap_unary
        """Handle one call."""
        async with interceptor.handle_call(method, servicer, request):
            async for response in behaviour(decode(request), servicer):
                yield response

    return call


_FACTORIES: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
