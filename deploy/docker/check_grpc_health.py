"""Exits with status 0 when a gRPC server reports SERVING (the health check of the containers).

The file must not be named `grpc_health`: a script's folder comes first on sys.path, so that the file would
shadow the package.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT_S = 3
"""Seconds for connection and response; the containers' health checks allow 4."""


def is_serving(channel: grpc.Channel) -> bool:
    """Return whether the server reports SERVING within three seconds."""
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
