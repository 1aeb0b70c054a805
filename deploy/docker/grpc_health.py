"""Calls a gRPC server's health service; exit status 0 when it serves (a container's health check)."""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 3


def is_serving(channel: grpc.Channel) -> bool:
    """Return whether the server answers SERVING within three seconds."""
    try:
        response = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S
        )
    except grpc.RpcError:
        return False
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)


def main(address: str) -> int:
    """Return 0 when the server at host:port serves, else 1."""
    with grpc.insecure_channel(address) as channel:
        return int(not is_serving(channel))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
