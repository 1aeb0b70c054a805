"""The synchronous example client, on grpc's testing channel: each call as the registry receives it."""

import importlib.util
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID, uuid4

import grpc
import grpc_testing
import pytest
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status

from ketav.registry.v1 import pages_pb2, projects_pb2
from ketav_common.errors import NotFound, TimedOut, Unavailable, to_status
from ketav_common.identity import Identity
from tests.parts.identities import SIGNER

T = TypeVar("T")
ROOT = Path(__file__).parents[2]

PROJECTS = projects_pb2.DESCRIPTOR.services_by_name["ProjectService"]
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]
OK = grpc.StatusCode.OK


def load(path: str) -> ModuleType:
    """Import a script of the repository."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE, HEALTH_CHECK = load("examples/registry_client.py"), load("deploy/docker/check_grpc_health.py")


@pytest.fixture
def channel() -> grpc_testing.Channel:
    """Return a channel whose calls the test answers."""
    descriptors = [PROJECTS, HEALTH]
    testing_channel: grpc_testing.Channel = grpc_testing.channel(descriptors, grpc_testing.strict_real_time())
    return testing_channel


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """Return a function that runs the client while the test answers its calls."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit


def method(service: Any, name: str) -> Any:
    """Return a method's descriptor."""
    return service.methods_by_name[name]


def reader(channel: grpc_testing.Channel, user: UUID, request_id: str = "") -> Any:
    """Return the example's reader on the channel."""
    return EXAMPLE.RegistryReader(channel, SIGNER, user, request_id)


def test_a_call_has_identity_and_request_id_and_a_list_is_read_to_its_end(
    channel: grpc_testing.Channel, in_thread: Any
) -> None:
    """Two calls with the cursor of the first response; each signs the user."""
    user = uuid4()
    listing = in_thread(lambda: list(reader(channel, user, "request-1").projects()))
    for cursor, following in (("", "next"), ("next", "")):
        metadata, request, rpc = channel.take_unary_unary(method(PROJECTS, "ListProjects"))
        sent = dict(metadata)
        assert request.cursor == cursor
        assert SIGNER.verify(sent["x-ketav-identity"], "registry") == Identity("user", user)
        assert sent["x-request-id"] == "request-1"
        project = projects_pb2.Project(project_id=cursor or "first")
        rpc.terminate(
            projects_pb2.ListProjectsResponse(projects=[project], next_cursor=following), (), OK, ""
        )
    assert [project.project_id for project in listing.result(5)] == ["first", "next"]


def test_a_stream_is_read_with_its_cursor(channel: grpc_testing.Channel, in_thread: Any) -> None:
    """The project comes first, then pages, then the cursor of the next call."""
    reading = in_thread(lambda: list(reader(channel, uuid4()).pages("a-project")))
    for name, cursor in (("one", "next"), ("two", "")):
        _, request, rpc = channel.take_unary_stream(method(PROJECTS, "GetProject"))
        assert request.project_id == "a-project"
        rpc.send_response(projects_pb2.GetProjectResponse(project=projects_pb2.Project()))
        rpc.send_response(projects_pb2.GetProjectResponse(page=pages_pb2.Page(page_id=name)))
        if cursor:
            rpc.send_response(projects_pb2.GetProjectResponse(next_cursor=cursor))
        rpc.terminate((), OK, "")
    assert [page.page_id for page in reading.result(5)] == ["one", "two"]


def test_the_registry_s_error_is_restored(channel: grpc_testing.Channel, in_thread: Any) -> None:
    """Class, sentence, code and facts, from the rich status of the call."""
    error = NotFound("There is no project with this id. List the projects.", details={"fact": "1"})
    status = rpc_status.to_status(to_status(error))
    reading = in_thread(lambda: list(reader(channel, uuid4()).pages("a-project")))
    _, _, rpc = channel.take_unary_stream(method(PROJECTS, "GetProject"))
    rpc.terminate(status.trailing_metadata, status.code, status.details)
    with pytest.raises(NotFound) as caught:
        reading.result(5)
    assert (caught.value.detail, caught.value.details) == (error.detail, {"fact": "1"})


def test_a_registry_that_cannot_be_reached_is_unavailable(
    channel: grpc_testing.Channel, in_thread: Any
) -> None:
    """A status without details: grpc itself reported it."""
    listing = in_thread(lambda: list(reader(channel, uuid4()).projects()))
    _, _, rpc = channel.take_unary_unary(method(PROJECTS, "ListProjects"))
    rpc.terminate(None, (), grpc.StatusCode.UNAVAILABLE, "connection refused")
    with pytest.raises(Unavailable):
        listing.result(5)


def test_a_registry_that_does_not_answer_is_given_up_at_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The testing channel knows no deadlines: this server accepts connections and answers nothing."""
    monkeypatch.setattr(EXAMPLE, "CALL_S", 0.5)
    began = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        EXAMPLE.open_channel(f"127.0.0.1:{server.getsockname()[1]}") as channel,
        pytest.raises((TimedOut, Unavailable)),
    ):
        list(reader(channel, uuid4()).projects())
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("status", "code", "serving"),
    [
        (health_pb2.HealthCheckResponse.SERVING, OK, True),
        (health_pb2.HealthCheckResponse.NOT_SERVING, OK, False),
        (None, grpc.StatusCode.UNAVAILABLE, False),
    ],
)
def test_the_container_s_health_check_asks_the_health_service(
    channel: grpc_testing.Channel, in_thread: Any, status: Any, code: grpc.StatusCode, serving: bool
) -> None:
    """Only SERVING is healthy; a server that cannot be reached is not."""
    checking = in_thread(lambda: HEALTH_CHECK.is_serving(channel))
    _, _, rpc = channel.take_unary_unary(method(HEALTH, "Check"))
    response = None if status is None else health_pb2.HealthCheckResponse(status=status)
    rpc.terminate(response, (), code, "")
    assert checking.result(5) is serving


def test_the_health_check_of_a_missing_server_fails_within_its_deadline() -> None:
    """Three seconds, then exit status 1."""
    began = time.monotonic()
    assert HEALTH_CHECK.main("127.0.0.1:1") == 1
    assert time.monotonic() - began < 5
