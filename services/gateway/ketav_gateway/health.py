"""Asking the services whether they serve (grpc.health.v1)."""

import asyncio
from collections.abc import Mapping

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


class Probe:
    """Health checks of named services."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], timeout_s: float) -> None:
        """Take the services' channels by name and the seconds a probe may take."""
        self._stubs = {name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()}
        self._timeout_s = timeout_s

    async def states(self) -> dict[str, str]:
        """Return for each service `serving`, `not-serving` or why it cannot be asked."""
        found = await asyncio.gather(*(self._state(stub) for stub in self._stubs.values()))
        return dict(zip(self._stubs, found, strict=True))

    async def _state(self, stub: health_pb2_grpc.HealthStub) -> str:
        """Ask one service."""
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=self._timeout_s)
        except grpc.aio.AioRpcError as error:
            return error.code().name.lower().replace("_", "-")
        serving = answer.status == health_pb2.HealthCheckResponse.SERVING
        return "serving" if serving else "not-serving"
