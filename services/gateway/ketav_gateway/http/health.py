"""Health checks of the services behind the gateway (grpc.health.v1)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ketav_common.readiness import PROBLEM_KEY

SERVING = "serving"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`serving`, `not-serving` or the gRPC status of a failed check, and the service's problems."""

    state: str
    problems: tuple[str, ...] = ()


class HealthProbe:
    """Health checks of named services."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], timeout_s: float) -> None:
        """Take the services' channels by name and the timeout of a check in seconds."""
        self._stubs = {name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()}
        self._timeout_s = timeout_s

    async def states(self) -> dict[str, ServiceState]:
        """Return the state of each service."""
        states = await asyncio.gather(*(self._state(stub) for stub in self._stubs.values()))
        return dict(zip(self._stubs, states, strict=True))

    async def _state(self, stub: health_pb2_grpc.HealthStub) -> ServiceState:
        """Return the state of one service."""
        check = stub.Check(health_pb2.HealthCheckRequest(), timeout=self._timeout_s)
        try:
            response = await check
        except grpc.aio.AioRpcError as error:
            return ServiceState(error.code().name.lower().replace("_", "-"))
        serving = response.status == health_pb2.HealthCheckResponse.SERVING
        problems = [str(value) for key, value in await check.trailing_metadata() if key == PROBLEM_KEY]
        return ServiceState(SERVING if serving else "not-serving", tuple(problems))
