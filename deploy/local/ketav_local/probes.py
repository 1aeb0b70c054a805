"""Readiness probes of running services, with the clients that their users have."""

from dataclasses import dataclass

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

PROBE_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class GrpcProbe:
    """Calls a gRPC server's health service; the address is host:port."""

    address: str

    async def __call__(self) -> bool:
        """Return whether the server answers SERVING within two seconds."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=PROBE_TIMEOUT_S)
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
