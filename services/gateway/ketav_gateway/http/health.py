"""Health checks of the services behind the gateway (grpc.health.v1)."""

import asyncio
from collections.abc import Mapping

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING = "serving"


class HealthProbe:
    """Health checks of named services."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], timeout_s: float) -> None:
        """Take the services' channels by name and the timeout of a check in seconds."""
        self._stubs = {name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()}
        self._timeout_s = timeout_s

    async def states(self) -> dict[str, str]:
        """Return each service's state: `serving`, `not-serving`, or the gRPC status of the failed check."""
        states = await asyncio.gather(*(self._state(stub) for stub in self._stubs.values()))
        return dict(zip(self._stubs, states, strict=True))

    async def _state(self, stub: health_pb2_grpc.HealthStub) -> str:
        """Return the state of one service."""
        try:
            response = await stub.Check(health_pb2.HealthCheckRequest(), timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            return error.code().name.lower().replace("_", "-")
        serving = response.status == health_pb2.HealthCheckResponse.SERVING
        return SERVING if serving else "not-serving"
