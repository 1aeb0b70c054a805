"""A name with several addresses is several replicas of a service."""

import grpc

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc
from ketav_common import context, rpc
from ketav_common.identity import Identity, Signer
from ketav_local.ports import free_ports

SIGNER = Signer("s" * 32)


class Replica(accounts_pb2_grpc.AccountServiceServicer):
    """Answers with its own name."""

    def __init__(self, name: str) -> None:
        """Take the name it answers with."""
        self.name = name

    async def ResolveApiKey(  # the contract's name
        self, request: accounts_pb2.ResolveApiKeyRequest, call: object
    ) -> accounts_pb2.ResolveApiKeyResponse:
        """Answer with the replica's name where a user id would stand."""
        assert request is not None
        assert call is not None
        return accounts_pb2.ResolveApiKeyResponse(user_id=self.name)


def serve(name: str, port: int) -> rpc.Server:
    """Build one replica on a port."""

    def add(server: grpc.aio.Server) -> None:
        """Register it."""
        accounts_pb2_grpc.add_AccountServiceServicer_to_server(Replica(name), server)

    return rpc.build_server(add, bind=f"127.0.0.1:{port}", signer=SIGNER, service="replica")


async def test_calls_go_to_every_replica_in_turn() -> None:
    """Once both are connected, ten calls are five for each."""
    ports = free_ports(2)
    replicas = [serve(str(port), port) for port in ports]
    for replica in replicas:
        await replica.grpc.start()
    target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
    request = accounts_pb2.ResolveApiKeyRequest()
    async with rpc.channel(target, SIGNER) as channel:
        stub = accounts_pb2_grpc.AccountServiceStub(channel)
        with context.bind(identity=Identity("gateway", None), request_id="r"):
            answers: list[str] = []
            while len(set(answers)) < len(replicas):
                answers.append((await stub.ResolveApiKey(request)).user_id)
            later = [(await stub.ResolveApiKey(request)).user_id for _ in range(10)]
    for replica in replicas:
        await replica.grpc.stop(0)
    assert sorted(later.count(str(port)) for port in ports) == [5, 5]
