"""Ask a gRPC server's health service; exit status 0 when it serves (a container's health check)."""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PATIENCE_S = 3


def main(address: str) -> int:
    """Give 0 when the server at host:port answers SERVING, else 1."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=PATIENCE_S
            )
        except grpc.RpcError:
            return 1
    return int(answer.status != health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
