"""Notices that a service hangs, and answers its calls at once until it runs again (a circuit breaker).

A process that is stopped keeps its connections open: each call to it would wait until its deadline. A service
that is down needs no circuit, because calls to it fail at once.
"""

import asyncio
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ketav_common import tracing
from ketav_common.errors import Unavailable
from ketav_common.logging import get_logger
from ketav_common.readiness import LIVENESS

log = get_logger()

_PROBES: Final = "/grpc.health.v1.Health/"
_INTERVAL_S: Final = 1.0
_TIMEOUT_S: Final = 3.0
"""Seconds until a probe counts as unanswered."""
_FAILURES: Final = 2
"""Unanswered probes in a row that open the circuit: eight seconds after a process was stopped."""
RETRY_S: Final = 5
"""Seconds after which a refused client retries."""


def unresponsive() -> Unavailable:
    """Return the error of a call that is refused or ended because its service does not answer."""
    return Unavailable(
        f"A part of the service does not answer and is restarted. Retry after {RETRY_S} seconds.",
        retry_after=RETRY_S,
    )


class Circuit:
    """The state of the calls to one service: closed, they are made; open, they are refused."""

    def __init__(self, name: str) -> None:
        """Take the name of the service, for people."""
        self._name = name
        self._failures = 0
        self._calls: set[Any] = set()

    @property
    def is_open(self) -> bool:
        """Return whether calls are refused."""
        return self._failures >= _FAILURES

    async def watch(self, channel: grpc.aio.Channel) -> None:
        """Probe the service every second, until cancelled."""
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=LIVENESS)
        while True:
            await asyncio.sleep(_INTERVAL_S)
            try:
                with tracing.not_recorded():
                    await stub.Check(request, timeout=_TIMEOUT_S)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                    self.fail()
                    continue
            self.close()

    def fail(self) -> None:
        """Count an unanswered probe; the second one opens the circuit and ends the calls under way."""
        self._failures += 1
        if self._failures == _FAILURES:
            log.error("circuit_opened", service=self._name, calls=len(self._calls))
            for call in list(self._calls):
                call.cancel()

    def close(self) -> None:
        """Make calls again: the service answers, or is down, which calls notice themselves."""
        if self.is_open:
            log.info("circuit_closed", service=self._name)
        self._failures = 0

    async def intercept(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's
        """Make a call that `fail` can end; raises Unavailable while the circuit is open."""
        method = details.method.decode() if isinstance(details.method, bytes) else details.method
        if method.startswith(_PROBES):
            return await continuation(details, request)
        if self.is_open:
            raise unresponsive()
        call = await continuation(details, request)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call


class _Guarded:
    """Makes the calls of a channel through a circuit."""

    def __init__(self, circuit: Circuit) -> None:
        """Take the circuit."""
        self._circuit = circuit

    async def _continue(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's
        """Make a call unless the circuit is open."""
        return await self._circuit.intercept(continuation, details, request)


# grpc needs one class for each type of call; they differ in the name of one method.
class _UnaryUnary(_Guarded, grpc.aio.UnaryUnaryClientInterceptor):
    """Calls with one request and one response."""

    intercept_unary_unary = _Guarded._continue  # type: ignore[assignment]  # noqa: SLF001


class _UnaryStream(_Guarded, grpc.aio.UnaryStreamClientInterceptor):
    """Calls with one request and many responses."""

    intercept_unary_stream = _Guarded._continue  # type: ignore[assignment]  # noqa: SLF001


class _StreamUnary(_Guarded, grpc.aio.StreamUnaryClientInterceptor):
    """Calls with many requests and one response."""

    intercept_stream_unary = _Guarded._continue  # type: ignore[assignment]  # noqa: SLF001


def circuit_interceptors(circuit: Circuit | None) -> list[grpc.aio.ClientInterceptor]:
    """Return the interceptors that make the calls of a channel through a circuit; none without one."""
    return [] if circuit is None else [kind(circuit) for kind in (_UnaryUnary, _UnaryStream, _StreamUnary)]
