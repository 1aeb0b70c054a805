"""Every call between services has identity, deadline, errors and a line in the request log."""

import asyncio
import errno
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ketav.registry.v1 import pages_pb2
from ketav.registry.v1.pages_pb2_grpc import (
    PageServiceServicer,
    PageServiceStub,
    add_PageServiceServicer_to_server,
)
from ketav_common import context, errors, rpc
from ketav_common.identity import Identity, Signer
from tests.parts.identities import SIGNER, STRANGER, AnySigner

if TYPE_CHECKING:
    from ketav.registry.v1.pages_pb2_grpc import PageServiceAsyncStub

USER = Identity("user", uuid.UUID(int=7))


class Probe(PageServiceServicer):
    """A servicer that shows its request and fails as the project id says."""

    async def GetPage(self, request: pages_pb2.GetPageRequest, call: object) -> pages_pb2.GetPageResponse:
        """Raise, hang or answer with the caller's user id."""
        match request.project_id:
            case "missing":
                raise errors.NotFound("no such page", code="no-page", details={"page": "1"}, retry_after=3)
            case "bug":
                raise ZeroDivisionError
            case "full disk":
                raise OSError(errno.ENOSPC, "No space left on device", "/folder/file")
            case "hang":
                await asyncio.sleep(30)
        page = pages_pb2.Page(page_id=str(context.current_user()), project_id=context.request_id())
        return pages_pb2.GetPageResponse(page=page)

    async def DownloadImage(
        self, request: pages_pb2.DownloadImageRequest, call: object
    ) -> AsyncIterator[pages_pb2.DownloadImageResponse]:
        """Answer once, then fail."""
        yield pages_pb2.DownloadImageResponse(chunk=b"one")
        raise errors.DataLoss

    async def CreatePage(
        self, requests: AsyncIterator[pages_pb2.CreatePageRequest], call: object
    ) -> pages_pb2.CreatePageResponse:
        """Count the chunks; refuse at the first when it says so."""
        async for first in requests:
            if first.chunk.startswith(b"refuse"):
                raise errors.TooLarge
            break
        return pages_pb2.CreatePageResponse(
            page=pages_pb2.Page(page_id=str(1 + len([one async for one in requests])))
        )


@asynccontextmanager
async def probe(
    folder: Path, *, signer: Signer = SIGNER, max_seconds: float = 5
) -> AsyncIterator["PageServiceAsyncStub"]:
    """Serve the probe on a unix socket and yield a stub of it that signs with `signer`."""
    bind = f"unix:{folder}/probe.sock"
    server = rpc.build_server(
        lambda it: add_PageServiceServicer_to_server(Probe(), it),  # type: ignore[abstract]  # the rest is not served
        bind=bind,
        signer=SIGNER,
        service="probe",
        max_seconds=max_seconds,
    )
    await server.grpc.start()
    services = [pages_pb2.DESCRIPTOR.services_by_name["PageService"]]
    async with rpc.channel(bind, signer, services=services) as channel:
        yield PageServiceStub(channel)
    await server.grpc.stop(5)  # the log of a call is written after its answer


@pytest.fixture
def as_user() -> Iterator[None]:
    """Make calls as a user."""
    with context.bind(identity=USER, request_id="r-1"):
        yield


async def test_identity_and_request_id_travel_with_the_call(tmp_path: Path, as_user: None) -> None:
    """The servicer sees the caller's user and request id."""
    async with probe(tmp_path) as stub:
        answer = await stub.GetPage(pages_pb2.GetPageRequest())
    assert (answer.page.page_id, answer.page.project_id) == (str(USER.user_id), "r-1")


@pytest.mark.parametrize(
    "signer",
    [STRANGER, AnySigner(lifetime=-60), AnySigner(lifetime=61)],
    ids=["forged", "expired", "long-lived"],
)
async def test_an_identity_that_is_not_valid_is_refused(
    tmp_path: Path, as_user: None, signer: Signer
) -> None:
    """One signed with another key, that has ended, or for more than a minute, is UNAUTHENTICATED."""
    async with probe(tmp_path, signer=signer) as stub:
        with pytest.raises(errors.Unauthenticated), rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest())


async def test_a_call_without_identity_is_refused_but_health_answers(tmp_path: Path) -> None:
    """Only probes of health may come without an identity."""
    async with probe(tmp_path) as stub:
        with pytest.raises(errors.Unauthenticated), rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest())
    async with probe(tmp_path), grpc.aio.insecure_channel(f"unix:{tmp_path}/probe.sock") as bare:
        answer = await health_pb2_grpc.HealthStub(bare).Check(health_pb2.HealthCheckRequest(), timeout=2)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_an_error_arrives_as_the_class_that_was_raised(tmp_path: Path, as_user: None) -> None:
    """Class, sentence, code, details and waiting time survive the wire."""
    async with probe(tmp_path) as stub:
        with pytest.raises(errors.NotFound) as caught, rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest(project_id="missing"))
    error = caught.value
    assert (error.detail, error.code) == ("no such page", "no-page")
    assert (error.details, error.retry_after) == ({"page": "1"}, 3)


async def test_a_defect_is_reported_as_internal_without_its_message(tmp_path: Path, as_user: None) -> None:
    """A crash says nothing of the code behind it."""
    async with probe(tmp_path) as stub:
        with pytest.raises(errors.Internal) as caught, rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest(project_id="bug"))
    assert "Zero" not in caught.value.detail


async def test_a_full_disk_is_unavailable_without_its_path(tmp_path: Path, as_user: None) -> None:
    """The caller learns when to retry."""
    async with probe(tmp_path) as stub:
        with pytest.raises(errors.Unavailable) as caught, rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest(project_id="full disk"))
    assert caught.value.retry_after == 10
    assert "its disk is full" in caught.value.detail
    assert "folder" not in caught.value.detail


async def test_an_error_after_the_first_message_of_a_stream_arrives(tmp_path: Path, as_user: None) -> None:
    """A stream that breaks is an error, not a short answer."""
    seen = []
    async with probe(tmp_path) as stub:
        with pytest.raises(errors.DataLoss), rpc.raise_ketav_errors():
            async for message in stub.DownloadImage(pages_pb2.DownloadImageRequest()):
                seen.append(message.chunk)  # noqa: PERF401 - what came before the error counts
    assert seen == [b"one"]


async def test_a_stream_of_requests_is_handled(tmp_path: Path, as_user: None) -> None:
    """Client streams pass the interceptors on both sides."""
    async with probe(tmp_path) as stub:
        answer = await stub.CreatePage(pages_pb2.CreatePageRequest(chunk=b"x") for _ in range(3))
    assert answer.page.page_id == "3"


async def test_a_stream_that_is_refused_early_gets_the_reason(tmp_path: Path, as_user: None) -> None:
    """A client that is still sending gets the answer, not an error of its own, for uploads of many chunks."""
    async with probe(tmp_path) as stub:
        for _ in range(20):
            with pytest.raises(errors.TooLarge), rpc.raise_ketav_errors():
                await stub.CreatePage(
                    pages_pb2.CreatePageRequest(chunk=b"refuse" * 100_000) for _ in range(16)
                )


async def test_every_call_ends_at_its_deadline_on_both_sides(tmp_path: Path, as_user: None) -> None:
    """The client's deadline ends the call; without an early one the server's bound does."""
    async with probe(tmp_path, max_seconds=0.2) as stub:
        with pytest.raises(errors.TimedOut), rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest(project_id="hang"), timeout=0.1)
        with pytest.raises(errors.TimedOut), rpc.raise_ketav_errors():
            await stub.GetPage(pages_pb2.GetPageRequest(project_id="hang"), timeout=20)


async def test_a_peer_that_is_away_is_unavailable(tmp_path: Path, as_user: None) -> None:
    """A server that does not listen is reported as Unavailable within the deadline."""
    async with rpc.channel(f"unix:{tmp_path}/nobody.sock", SIGNER, seconds=2) as channel:
        with pytest.raises(errors.Unavailable), rpc.raise_ketav_errors():
            await PageServiceStub(channel).GetPage(pages_pb2.GetPageRequest())


MALFORMED = [b"\xff\xff\xff", b"\x0a\xff\x01a", b"\x0a\x02\xff\xfe", b"\x0b" * 200]
"""Bytes that are no message: an unknown wire type, a cut field, no UTF-8, groups nested too deep."""


@pytest.mark.parametrize("encoded", MALFORMED, ids=["wire-type", "cut", "utf-8", "nesting"])
@pytest.mark.parametrize("method", ["GetPage", "CreatePage", "DownloadImage"])
async def test_a_message_that_is_not_protobuf_is_the_caller_s_error(
    tmp_path: Path, as_user: None, method: str, encoded: bytes
) -> None:
    """In a single request and in a stream, it is INVALID_ARGUMENT, also in the log."""
    bare: Any = {"GetPage": "unary_unary", "CreatePage": "stream_unary", "DownloadImage": "unary_stream"}
    with structlog.testing.capture_logs() as logs:
        async with probe(tmp_path), rpc.channel(f"unix:{tmp_path}/probe.sock", SIGNER) as channel:
            send = getattr(channel, bare[method])(f"/ketav.registry.v1.PageService/{method}")
            with pytest.raises(errors.InvalidInput) as raised, rpc.raise_ketav_errors():
                answer = send(iter([encoded]) if method == "CreatePage" else encoded)
                [_ async for _ in answer] if method == "DownloadImage" else await answer
    assert raised.value.code == "malformed-message"
    assert [(log["event"], log["code"]) for log in logs] == [("rpc_handled", "INVALID_ARGUMENT")]


async def test_every_handled_call_is_logged_once_with_its_outcome(tmp_path: Path, as_user: None) -> None:
    """The request log has method and code of each call."""
    with structlog.testing.capture_logs() as logs:
        async with probe(tmp_path) as stub:
            await stub.GetPage(pages_pb2.GetPageRequest())
            with pytest.raises(errors.NotFound), rpc.raise_ketav_errors():
                await stub.GetPage(pages_pb2.GetPageRequest(project_id="missing"))
    handled = [(log["method"], log["code"]) for log in logs if log["event"] == "rpc_handled"]
    assert handled == [("GetPage", "OK"), ("GetPage", "NOT_FOUND")]
