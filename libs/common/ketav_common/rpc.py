"""Builds gRPC servers and channels: the same options, deadlines and identities in every service."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from ketav_common.chunks import chunks
from ketav_common.circuit import Circuit, circuit_interceptors, unresponsive
from ketav_common.client_interceptors import CLIENT_INTERCEPTORS
from ketav_common.errors import from_rpc_error
from ketav_common.identity import Signer
from ketav_common.interceptor import CallInterceptor
from ketav_common.limits import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES
from ketav_common.logging import get_logger
from ketav_common.readiness import LIVENESS, PROBLEM_KEY, Readiness

__all__ = ["DEFAULT_SECONDS", "Server", "build_server", "channel", "chunks", "raise_ketav_errors", "serve"]

DEFAULT_SECONDS = 30.0
"""Deadline of a call that names none."""
PROBE_SECONDS = 2.0
"""Seconds between two readiness checks of a ready service, and the timeout of a check."""
START_PROBE_SECONDS = 0.5
"""Seconds between two readiness checks while the service is not ready."""
Add = Callable[[grpc.aio.Server], None]
Ready = Callable[[], Awaitable[Readiness]]

_SIZES = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", MAX_METADATA_BYTES),
]
_SERVER_OPTIONS = [
    *_SIZES,
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]
CONNECTION_SECONDS = 30.0
"""Age at which a connection takes no new calls: clients then resolve the service's name again, and find
replicas that were started since."""
# A restarted peer is reconnected within two seconds; one that hangs is detected within thirty.
_CHANNEL_OPTIONS = [
    *_SIZES,
    ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.enable_retries", 1),
]


@dataclass
class Server:
    """A gRPC server with its health servicer; `port` is the bound TCP port, 1 for a unix socket."""

    grpc: grpc.aio.Server
    health: "HealthServicer"
    port: int

    async def set_serving(self, serving: bool, problems: Sequence[str] = ()) -> None:
        """Answer health probes with SERVING or NOT_SERVING, and with these problems."""
        self.health.problems = tuple(problems)
        status = (
            health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        await self.health.set("", status)

    async def set_alive(self) -> None:
        """Answer liveness probes with SERVING from now on."""
        await self.health.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)


class HealthServicer(health.aio.HealthServicer):  # type: ignore[misc]  # grpc_health has no types
    """Answers health checks; the trailing metadata of a response has the service's problems."""

    problems: tuple[str, ...] = ()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - grpc's
        """Return the status of the service."""
        context.set_trailing_metadata(tuple((PROBLEM_KEY, problem) for problem in self.problems))
        return await super().Check(request, context)


def build_server(
    add: Add,
    *,
    bind: str,
    signer: Signer,
    service: str,
    names: Sequence[str] = (),
    max_seconds: float = 600,
    connection_seconds: float = CONNECTION_SECONDS,
) -> Server:
    """Build a server, not started, with the interceptor, health and reflection.

    `add` registers the servicers; `names` are the full service names shown by reflection. A connection takes
    no new calls after `connection_seconds` (plus or minus a tenth); those on it go on until they end.
    Raises RuntimeError when the address cannot be bound.
    """
    interceptor = CallInterceptor(signer, service, max_seconds)
    age = ("grpc.max_connection_age_ms", int(connection_seconds * 1000))
    server = grpc.aio.server(interceptors=[interceptor], options=[*_SERVER_OPTIONS, age])
    add(server)
    servicer = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection((*names, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port(bind)
    return Server(server, servicer, port)


async def serve(
    add: Add,
    *,
    bind: str,
    signer: Signer,
    service: str,
    names: Sequence[str] = (),
    ready: Ready | None = None,
    drain_seconds: float = 10,
    max_seconds: float = 600,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then refuse new calls, let those in flight finish, and stop.

    `ready` is called every two seconds, more often while the service does not serve; health probes get its
    result.
    `on_stop` is called when the stop begins; it must end the calls that would not end by themselves.
    Raises SystemExit with a sentence when the address cannot be bound.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        server = build_server(
            add, bind=bind, signer=signer, service=service, names=names, max_seconds=max_seconds
        )
    except RuntimeError:
        raise SystemExit(
            f"KETAV_BIND names {bind}, where the {service} cannot listen. "
            "Stop the program that uses this address, or set KETAV_BIND to another one."
        ) from None
    await server.set_serving(False)
    await server.set_alive()
    await server.grpc.start()
    get_logger().info("server_started", bind=bind, port=server.port)
    async with asyncio.TaskGroup() as tasks:
        probe = tasks.create_task(_probe(server, ready))
        await stop.wait()
        probe.cancel()
    on_stop()
    await server.set_serving(False)
    await server.grpc.stop(drain_seconds)
    get_logger().info("server_stopped")


async def _probe(server: Server, ready: Ready | None) -> None:
    """Set the health status to the result of `ready`, repeatedly, until cancelled; changes are logged."""
    previous = Readiness()
    while True:
        readiness = Readiness() if ready is None else await _readiness(ready)
        if readiness != previous:
            log = get_logger().info if readiness.serving and not readiness.problems else get_logger().warning
            log("readiness_changed", serving=readiness.serving, problems=readiness.problems)
        previous = readiness
        await server.set_serving(readiness.serving, readiness.problems)
        await asyncio.sleep(PROBE_SECONDS if readiness.serving else START_PROBE_SECONDS)


async def _readiness(ready: Ready) -> Readiness:
    """Return the result of `ready`; after an error, or no result within two seconds, not serving."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await ready()
    except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
        problem = f"The readiness check failed with {type(error).__name__}. Read the log of the service."
        return Readiness(serving=False, problems=(problem,))


def channel(
    address: str,
    signer: Signer,
    *,
    services: Iterable[ServiceDescriptor] = (),
    seconds: float = DEFAULT_SECONDS,
    circuit: Circuit | None = None,
) -> grpc.aio.Channel:
    """Open a channel that signs the current identity, passes the request id on and bounds every call.

    Calls without a timeout get `seconds`. Methods of `services` that may be repeated by their contract
    (idempotency_level) are retried on UNAVAILABLE. Calls are refused while `circuit` is open.
    """
    return grpc.aio.insecure_channel(
        address,
        options=[*_CHANNEL_OPTIONS, ("grpc.service_config", json.dumps(_service_config(services)))],
        interceptors=[
            *circuit_interceptors(circuit),
            *(kind(signer, seconds) for kind in CLIENT_INTERCEPTORS),
        ],
    )


def _service_config(services: Iterable[ServiceDescriptor]) -> dict[str, object]:
    """Return the service config: load balancing, and the methods that are retried (grpc proposal A6)."""
    repeatable = [
        {"service": service.full_name, "method": method.name}
        for service in services
        for method in service.methods
        if method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
    ]
    policy = {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return {
        # Each address of a name is a replica: calls go to them in turn.
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": repeatable, "retryPolicy": policy}] if repeatable else [],
    }


@contextlib.contextmanager
def raise_ketav_errors() -> Iterator[None]:
    """Raise the KetavError that a called service reported; Unavailable for a call that a circuit ended."""
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise unresponsive() from error
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
