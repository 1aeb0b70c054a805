"""Readiness probes of running services, with the clients that their users have."""

import time
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

PROBE_TIMEOUT_S = 2.0
BEAT_AGE_S = 15.0
"""Age in seconds at which the file of a process that touches it every two is too old."""


@dataclass(frozen=True)
class GrpcProbe:
    """Calls a gRPC server's health service; the address is host:port.

    Without a service's name it asks for readiness, with `LIVENESS` whether the event loop runs.
    """

    address: str
    service: str = ""

    async def __call__(self) -> bool:
        """Return whether the server answers SERVING within two seconds."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(
                    health_pb2.HealthCheckRequest(service=self.service), timeout=PROBE_TIMEOUT_S
                )
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


@dataclass(frozen=True)
class HttpProbe:
    """Requests a URL; a 2xx status means ready."""

    url: str

    async def __call__(self) -> bool:
        """Return whether the server answers with a 2xx status within two seconds."""
        try:
            async with httpx.AsyncClient(timeout=PROBE_TIMEOUT_S, trust_env=False) as client:
                return (await client.get(self.url)).is_success
        except httpx.HTTPError:
            return False


@dataclass(frozen=True)
class BeatProbe:
    """Looks at the file that a worker touches every two seconds from its first second on."""

    path: Path

    async def __call__(self) -> bool:
        """Return whether the file was touched within fifteen seconds, or not yet: the worker is starting."""
        try:
            return time.time() - self.path.stat().st_mtime < BEAT_AGE_S
        except FileNotFoundError:
            return True
