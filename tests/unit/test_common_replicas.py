"""A name with several addresses is several replicas of a service."""

import asyncio

import grpc

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc
from ketav_common import context, rpc
from ketav_common.identity import Identity
from ketav_local.ports import free_ports
from tests.parts.identities import SIGNER
from tests.parts.names import serve_names


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

    GetAccount = DeleteAccount = ListAuditEntries = RecordExport = EndSession = None  # type: ignore[assignment]


def serve(name: str, port: int, address: str = "127.0.0.1", seconds: float = 30) -> rpc.Server:
    """Build one replica on a port, whose connections last so many seconds."""

    def add(server: grpc.aio.Server) -> None:
        """Register it."""
        accounts_pb2_grpc.add_AccountServiceServicer_to_server(Replica(name), server)

    return rpc.build_server(
        add, bind=f"{address}:{port}", signer=SIGNER, service="replica", connection_seconds=seconds
    )


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
        with context.bind(identity=Identity("gateway"), request_id="r"):
            answers: list[str] = []
            while len(set(answers)) < len(replicas):
                answers.append((await stub.ResolveApiKey(request)).user_id)
            later = [(await stub.ResolveApiKey(request)).user_id for _ in range(10)]
    for replica in replicas:
        await replica.grpc.stop(0)
    assert sorted(later.count(str(port)) for port in ports) == [5, 5]


async def test_a_replica_that_is_started_later_is_found_without_a_restart() -> None:
    """Its address joins the service's name; soon half of the calls go there, and no call fails meanwhile."""
    [port] = free_ports(1)
    first, later = [serve(address, port, address, seconds=1) for address in ("127.0.0.1", "127.0.0.2")]
    await first.grpc.start()
    request = accounts_pb2.ResolveApiKeyRequest()
    async with (
        serve_names(["127.0.0.1"]) as names,
        rpc.channel(f"dns://127.0.0.1:{names.port}/recognizer.test:{port}", SIGNER) as channel,
    ):
        stub = accounts_pb2_grpc.AccountServiceStub(channel)
        with context.bind(identity=Identity("gateway"), request_id="r"):
            assert (await stub.ResolveApiKey(request)).user_id == "127.0.0.1"
            await later.grpc.start()
            names.addresses = ["127.0.0.1", "127.0.0.2"]
            answers: list[str] = []
            async with asyncio.timeout(20):
                while answers.count("127.0.0.2") < 20:
                    answers.append((await stub.ResolveApiKey(request)).user_id)
                    await asyncio.sleep(0.02)
            assert set(answers[-4:]) == {"127.0.0.1", "127.0.0.2"}
    await asyncio.gather(first.grpc.stop(0), later.grpc.stop(0))
