"""Reads a user's projects and pages from the registry, synchronously, as an internal service does.

KETAV_IDENTITY_KEY=… python examples/registry_client.py HOST:PORT USER_ID

The asynchronous services of Ketav use `ketav_common.rpc.channel`, which adds identity, request id and
deadline to every call. A synchronous program adds them to each call itself, as this one does.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID, uuid4

import grpc

from ketav.registry.v1 import pages_pb2, projects_pb2, projects_pb2_grpc
from ketav_common.errors import KetavError, from_rpc_error
from ketav_common.identity import Identity, Signer
from ketav_common.interceptor import IDENTITY_KEY, REQUEST_ID_KEY
from ketav_common.limits import MAX_MESSAGE_BYTES

CALL_S: Final = 10.0
"""Deadline of a call in seconds."""
STREAM_S: Final = 60.0
"""Deadline of a stream in seconds: it covers all of its messages."""


def open_channel(address: str) -> grpc.Channel:
    """Open a channel to the registry; `address` is HOST:PORT or unix:PATH."""
    return grpc.insecure_channel(
        address,
        options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_reconnect_backoff_ms", 2_000),
        ],
    )


class RegistryReader:
    """Reads one user's projects and pages. Its methods raise the registry's errors as KetavErrors."""

    def __init__(self, channel: grpc.Channel, signer: Signer, user_id: UUID, request_id: str = "") -> None:
        """Take an open channel, the signer of identities, the user, and the id of the request under way."""
        self._projects = projects_pb2_grpc.ProjectServiceStub(channel)
        self._signer = signer
        self._user_id = user_id
        self._request_id = request_id or uuid4().hex

    def projects(self) -> Iterator[projects_pb2.Project]:
        """Yield the user's projects, newest first."""
        cursor = ""
        while True:
            request = projects_pb2.ListProjectsRequest(cursor=cursor)
            with _raise_ketav_errors():
                response = self._projects.ListProjects(request, timeout=CALL_S, metadata=self._metadata())
            yield from response.projects
            if not (cursor := response.next_cursor):
                return

    def pages(self, project_id: str) -> Iterator[pages_pb2.Page]:
        """Yield the pages of a project with their latest transcriptions, oldest first.

        NotFound: the user has no project with this id.
        """
        cursor, more = "", True
        while more:
            more = False
            request = projects_pb2.GetProjectRequest(project_id=project_id, cursor=cursor)
            with _raise_ketav_errors():
                for message in self._projects.GetProject(
                    request, timeout=STREAM_S, metadata=self._metadata()
                ):
                    if message.WhichOneof("part") == "page":
                        yield message.page
                    elif message.WhichOneof("part") == "next_cursor":
                        cursor, more = message.next_cursor, True

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata of one call: a new identity token, valid for a minute, and the request id."""
        token = self._signer.sign(Identity("user", self._user_id), "registry")
        return ((IDENTITY_KEY, token), (REQUEST_ID_KEY, self._request_id))


@contextmanager
def _raise_ketav_errors() -> Iterator[None]:
    """Raise the KetavError that the registry reported."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_rpc_error(error) from error


def main(address: str, user_id: str) -> int:
    """Print the user's projects with the number and the state of their pages; return the exit status."""
    signer = Signer(os.environ["KETAV_IDENTITY_KEY"])
    with open_channel(address) as channel:
        reader = RegistryReader(channel, signer, UUID(user_id))
        try:
            for project in reader.projects():
                pages = list(reader.pages(project.project_id))
                read = sum(page.state == pages_pb2.PAGE_STATE_READ for page in pages)
                print(f"{project.project_id}  {project.name}: {len(pages)} pages, {read} read")
        except KetavError as error:
            print(f"{error.detail} ({error.code})", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
