"""Calls to the registry, the recognizer and the trainer: their stubs, deadlines and errors.

A call is `await call(services.pages.GetPage, request, services.deadlines.short_s)`. `upload` calls a method
that receives a stream, `stream` a method that returns one. All three raise the KetavError that the service
reported.
"""

# The types of asynchronous stubs exist for type checkers only, so annotations must not be evaluated.
from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    corrections_pb2,
    corrections_pb2_grpc,
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    jobs_pb2,
    jobs_pb2_grpc,
    members_pb2,
    members_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    next_lines_pb2,
    next_lines_pb2_grpc,
    pages_pb2,
    pages_pb2_grpc,
    projects_pb2,
    projects_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    transcriptions_pb2,
    transcriptions_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common.errors import Forbidden, Internal, Unauthenticated, Unavailable
from ketav_common.limits import CHUNK_BYTES
from ketav_common.rpc import raise_ketav_errors

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

_REGISTRY_FILES = (
    accounts_pb2,
    projects_pb2,
    pages_pb2,
    transcriptions_pb2,
    corrections_pb2,
    ground_truth_pb2,
    jobs_pb2,
    members_pb2,
    training_pb2,
    models_pb2,
    next_lines_pb2,
    webhooks_pb2,
)
DESCRIPTORS: Mapping[str, list[ServiceDescriptor]] = {
    "registry": [
        service for file in _REGISTRY_FILES for service in file.DESCRIPTOR.services_by_name.values()
    ],
    "recognizer": [*recognizer_pb2.DESCRIPTOR.services_by_name.values()],
    "trainer": [*trainer_pb2.DESCRIPTOR.services_by_name.values()],
}
"""The gRPC services of each process; their idempotency levels decide which calls the channel retries."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds after which a call fails with TimedOut, by the kind of call.

    `short_s`: rows of the database; `store_s`: an image or all pages of a project; `recognize_s`: the
    recognition of one page; `recognize_line_s`: that of an image of one line; `watch_s`: the stream of the
    changes of a training run or a job.
    """

    short_s: float
    store_s: float
    recognize_s: float
    recognize_line_s: float
    watch_s: float


@dataclass(frozen=True)
class Services:
    """A stub for each gRPC service, named like its feature, and the deadlines of calls."""

    deadlines: Deadlines
    accounts: accounts_pb2_grpc.AccountServiceAsyncStub
    projects: projects_pb2_grpc.ProjectServiceAsyncStub
    pages: pages_pb2_grpc.PageServiceAsyncStub
    transcriptions: transcriptions_pb2_grpc.TranscriptionServiceAsyncStub
    corrections: corrections_pb2_grpc.CorrectionServiceAsyncStub
    ground_truth: ground_truth_pb2_grpc.GroundTruthServiceAsyncStub
    jobs: jobs_pb2_grpc.JobServiceAsyncStub
    members: members_pb2_grpc.MemberServiceAsyncStub
    training: training_pb2_grpc.TrainingServiceAsyncStub
    models: models_pb2_grpc.ModelServiceAsyncStub
    next_lines: next_lines_pb2_grpc.NextLineServiceAsyncStub
    webhooks: webhooks_pb2_grpc.WebhookServiceAsyncStub
    recognizer: recognizer_pb2_grpc.RecognizerServiceAsyncStub
    trainer: trainer_pb2_grpc.TrainerServiceAsyncStub


def connect(channels: Mapping[str, grpc.aio.Channel], deadlines: Deadlines) -> Services:
    """Return stubs on open channels, keyed as in DESCRIPTORS."""
    registry = channels["registry"]
    return Services(
        deadlines=deadlines,
        accounts=accounts_pb2_grpc.AccountServiceStub(registry),
        projects=projects_pb2_grpc.ProjectServiceStub(registry),
        pages=pages_pb2_grpc.PageServiceStub(registry),
        transcriptions=transcriptions_pb2_grpc.TranscriptionServiceStub(registry),
        corrections=corrections_pb2_grpc.CorrectionServiceStub(registry),
        ground_truth=ground_truth_pb2_grpc.GroundTruthServiceStub(registry),
        jobs=jobs_pb2_grpc.JobServiceStub(registry),
        members=members_pb2_grpc.MemberServiceStub(registry),
        training=training_pb2_grpc.TrainingServiceStub(registry),
        models=models_pb2_grpc.ModelServiceStub(registry),
        next_lines=next_lines_pb2_grpc.NextLineServiceStub(registry),
        webhooks=webhooks_pb2_grpc.WebhookServiceStub(registry),
        recognizer=recognizer_pb2_grpc.RecognizerServiceStub(channels["recognizer"]),
        trainer=trainer_pb2_grpc.TrainerServiceStub(channels["trainer"]),
    )


@contextmanager
def _raise_service_errors() -> Iterator[None]:
    """Raise the KetavError that a called service reported.

    Unauthenticated and Forbidden become Internal: they are the gateway's fault, not its client's. An
    insufficient role in a project is the client's.
    """
    try:
        with raise_ketav_errors():
            yield
    except (Unauthenticated, Forbidden) as error:
        if error.code == "insufficient-role":
            raise
        raise Internal(
            f"A service refused the gateway's call with {error.code}. Check the identity keys of the "
            "services."
        ) from error


async def call(
    method: grpc.aio.UnaryUnaryMultiCallable[RequestT, ResponseT], request: RequestT, deadline_s: float
) -> ResponseT:
    """Send one message and return the response; raises the KetavError that the service reported."""
    with _raise_service_errors():
        return await method(request, timeout=deadline_s)


async def stream(
    method: grpc.aio.UnaryStreamMultiCallable[RequestT, ResponseT], request: RequestT, deadline_s: float
) -> AsyncGenerator[ResponseT, None]:
    """Send one message and yield the responses; raises the KetavError that the service reported."""
    with _raise_service_errors():
        responses = method(request, timeout=deadline_s)
        try:
            async for response in responses:
                yield response
        finally:
            responses.cancel()  # no effect on a stream that has ended


async def upload(
    method: grpc.aio.StreamUnaryMultiCallable[RequestT, ResponseT],
    messages: AsyncIterator[RequestT],
    deadline_s: float,
) -> ResponseT:
    """Send a stream of messages and return the response; raises the KetavError that the service reported."""
    with _raise_service_errors():
        return await method(messages, timeout=deadline_s)


async def file_messages(
    message: Callable[..., RequestT], header: object, path: Path
) -> AsyncIterator[RequestT]:
    """Yield the messages of an upload: the header, then the file in chunks of CHUNK_BYTES."""
    yield message(header=header)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield message(chunk=chunk)


async def check_role(services: Services, project_id: str, needed: members_pb2.Role.ValueType) -> None:
    """Raise NotFound if the caller sees no such project, Forbidden if their role in it does not suffice."""
    request = members_pb2.CheckRoleRequest(project_id=project_id, role=needed)
    await call(services.members.CheckRole, request, services.deadlines.short_s)


async def image_header(services: Services, project_id: str, page_id: str) -> pages_pb2.DownloadImageHeader:
    """Return the header of a page's image, which is not downloaded."""
    request = pages_pb2.DownloadImageRequest(project_id=project_id, page_id=page_id, without_image=True)
    parts = stream(services.pages.DownloadImage, request, services.deadlines.store_s)
    async with aclosing(parts):
        async for message in parts:
            if message.HasField("header"):
                return message.header
    raise Unavailable("The registry sent an image without its header. Retry later.")


async def download_image(
    services: Services,
    project_id: str,
    page_id: str,
    target: Path,
    version: str = "",
    *,
    to_read: bool = False,
) -> pages_pb2.DownloadImageHeader:
    """Write a page's image to a file; the registry verifies its digest before it sends the last chunk.

    The header names the model to read it with: `version`, or the active model. With `to_read`, raises
    Forbidden for a viewer.
    """
    needed = members_pb2.ROLE_EDITOR if to_read else members_pb2.ROLE_VIEWER
    request = pages_pb2.DownloadImageRequest(
        project_id=project_id, page_id=page_id, model_version=version, role=needed
    )
    header: pages_pb2.DownloadImageHeader | None = None
    with target.open("wb") as file:
        async for message in stream(services.pages.DownloadImage, request, services.deadlines.store_s):
            if message.HasField("header"):
                header = message.header
            file.write(message.chunk)
    if header is None:
        raise Unavailable("The registry sent an image without its header. Retry later.")
    return header
