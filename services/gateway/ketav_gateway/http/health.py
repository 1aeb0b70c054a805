"""Health checks of the services behind the gateway (grpc.health.v1)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ketav_common.circuit import Circuit
from ketav_common.readiness import PROBLEM_KEY

SERVING = "serving"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """`serving`, `not-serving` or the gRPC status of a failed check, and the service's problems."""

    state: str
    problems: tuple[str, ...] = ()


class HealthProbe:
    """Health checks of named services."""

    def __init__(
        self,
        channels: Mapping[str, grpc.aio.Channel],
        timeout_s: float,
        circuits: Mapping[str, Circuit] | None = None,
    ) -> None:
        """Take the services' channels by name, the timeout of a check in seconds, and the circuits.

        A service that answers has its circuit closed: calls reach it as soon as it is reported as serving.
        """
        self._circuits = dict(circuits or {})
        self._stubs = {name: health_pb2_grpc.HealthStub(channel) for name, channel in channels.items()}
        self._timeout_s = timeout_s

    async def states(self) -> dict[str, ServiceState]:
        """Return the state of each service."""
        states = await asyncio.gather(*(self._state(*named) for named in self._stubs.items()))
        return dict(zip(self._stubs, states, strict=True))

    async def _state(self, name: str, stub: health_pb2_grpc.HealthStub) -> ServiceState:
        """Return the state of one service."""
        check = stub.Check(health_pb2.HealthCheckRequest(), timeout=self._timeout_s)
        try:
            response = await check
        except grpc.aio.AioRpcError as error:
            return ServiceState(error.code().name.lower().replace("_", "-"))
        if name in self._circuits:
            self._circuits[name].close()
        serving = response.status == health_pb2.HealthCheckResponse.SERVING
        problems = [str(value) for key, value in await check.trailing_metadata() if key == PROBLEM_KEY]
        return ServiceState(SERVING if serving else "not-serving", tuple(problems))
