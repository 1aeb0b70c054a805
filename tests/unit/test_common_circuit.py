"""Calls to a service that hangs end at once, and further ones are refused until it answers."""

import asyncio
import socket
import uuid
from pathlib import Path

import grpc
import pytest

from ketav.registry.v1 import pages_pb2
from ketav.registry.v1.pages_pb2_grpc import PageServiceServicer, PageServiceStub
from ketav.registry.v1.pages_pb2_grpc import add_PageServiceServicer_to_server as add
from ketav_common import context, rpc
from ketav_common.circuit import Circuit
from ketav_common.errors import Unavailable
from ketav_common.identity import Identity
from tests.parts.identities import SIGNER

USER = Identity("user", uuid.UUID(int=7))


class Hanging(PageServiceServicer):
    """Answers pages with an id, and hangs for one without."""

    async def GetPage(self, request: pages_pb2.GetPageRequest, call: object) -> pages_pb2.GetPageResponse:
        """Answer or hang."""
        if not request.page_id:
            await asyncio.sleep(60)
        return pages_pb2.GetPageResponse()


async def test_an_open_circuit_ends_the_calls_under_way_and_refuses_others(tmp_path: Path) -> None:
    """Two unanswered probes open it, an answered one closes it."""
    bind = f"unix:{tmp_path}/server.sock"
    server = rpc.build_server(lambda it: add(Hanging(), it), bind=bind, signer=SIGNER, service="pages")  # type: ignore[abstract]
    await server.grpc.start()
    circuit = Circuit("pages")

    async def call(page_id: str = "") -> pages_pb2.GetPageResponse:
        """Call the server as the gateway does."""
        with context.bind(identity=USER), rpc.raise_ketav_errors():
            return await PageServiceStub(channel).GetPage(
                pages_pb2.GetPageRequest(page_id=page_id), timeout=60
            )

    async with asyncio.timeout(20), rpc.channel(bind, SIGNER, circuit=circuit) as channel:
        await call("1")
        hanging = asyncio.create_task(call())
        await asyncio.sleep(0.5)
        circuit.fail()
        await call("2")
        circuit.fail()
        for answer in (hanging, call("3")):
            with pytest.raises(Unavailable) as refused:
                await answer
            assert refused.value.retry_after
        circuit.close()
        await call("4")
        cancelled = asyncio.create_task(call())
        await asyncio.sleep(0.2)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
    await server.grpc.stop(0)


async def test_a_server_that_accepts_connections_and_answers_nothing_opens_the_circuit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stopped process does so; one that is down does not, because calls to it fail at once."""
    monkeypatch.setattr("ketav_common.circuit._INTERVAL_S", 0.1)
    monkeypatch.setattr("ketav_common.circuit._TIMEOUT_S", 0.5)
    circuit = Circuit("silent")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        async with grpc.aio.insecure_channel(address) as channel:
            watching = asyncio.create_task(circuit.watch(channel))
            await _until_open(circuit, is_open=True)
            watching.cancel()
    async with grpc.aio.insecure_channel(address) as down:
        watching = asyncio.create_task(circuit.watch(down))
        await _until_open(circuit, is_open=False)
        watching.cancel()
    await asyncio.wait([watching])


async def _until_open(circuit: Circuit, *, is_open: bool) -> None:
    """Wait until a circuit is open, or closed; fail after twenty seconds."""
    for _ in range(400):
        if circuit.is_open is is_open:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the circuit did not change")
