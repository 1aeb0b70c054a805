"""A real registry for tests: its gRPC server on a unix socket, with a new database and a directory."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    accounts_pb2_grpc,
    corrections_pb2,
    corrections_pb2_grpc,
    erasure_pb2,
    ground_truth_pb2_grpc,
    jobs_pb2_grpc,
    members_pb2,
    members_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    next_lines_pb2_grpc,
    pages_pb2,
    pages_pb2_grpc,
    projects_pb2,
    projects_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    transcriptions_pb2,
    transcriptions_pb2_grpc,
    webhooks_pb2_grpc,
)
from ketav_common import context, rpc
from ketav_common.errors import NotFound
from ketav_common.identity import Identity, Signer, Work
from ketav_registry.main import open_stores
from ketav_registry.servicer import SERVICES, add_servicers
from ketav_registry.settings import StoreSettings
from ketav_registry.stores import Stores
from ketav_registry.usecases import accounts, models
from tests.parts.identities import SIGNER
from tests.parts.postgres import PostgresServer

DIGEST = hashlib.sha256(b"what the client sent").digest()


def safetensors(payload: bytes) -> bytes:
    """Return a small valid safetensors file."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(payload)], "data_offsets": [0, len(payload)]}})
    return len(header).to_bytes(8, "little") + header.encode() + payload


@dataclass(frozen=True)
class Registry:
    """A running registry, its stores and clients of its services."""

    stores: Stores
    signer: Signer
    database: str
    blobs: Path
    accounts: "accounts_pb2_grpc.AccountServiceAsyncStub"
    projects: "projects_pb2_grpc.ProjectServiceAsyncStub"
    pages: "pages_pb2_grpc.PageServiceAsyncStub"
    transcriptions: "transcriptions_pb2_grpc.TranscriptionServiceAsyncStub"
    corrections: "corrections_pb2_grpc.CorrectionServiceAsyncStub"
    ground_truth: "ground_truth_pb2_grpc.GroundTruthServiceAsyncStub"
    training: "training_pb2_grpc.TrainingServiceAsyncStub"
    models: "models_pb2_grpc.ModelServiceAsyncStub"
    next_lines: "next_lines_pb2_grpc.NextLineServiceAsyncStub"
    webhooks: "webhooks_pb2_grpc.WebhookServiceAsyncStub"
    jobs: "jobs_pb2_grpc.JobServiceAsyncStub"
    members: "members_pb2_grpc.MemberServiceAsyncStub"

    async def new_user(self, name: str = "user") -> UUID:
        """Add a user and return their id."""
        user_id, _ = await accounts.add_user(f"{name} {uuid4()}", stores=self.stores)
        return user_id


@contextlib.asynccontextmanager
async def registry_server(
    postgres: PostgresServer,
    folder: Path,
    database: str,
    *,
    blob_url: str | None = None,
    base: bytes = b"",
    lease_s: int = 30,
) -> AsyncIterator[Registry]:
    """Run a registry on a migrated database with hebrew_base: a generated file, or `base`."""
    blobs = folder / "blobs"
    settings = StoreSettings(
        database_url=postgres.url(database, "ketav_service"),
        blob_url=blob_url or f"file://{blobs}",
        spool_dir=folder / "spool",
    )
    signer = SIGNER
    async with open_stores(settings) as stores:
        await stores.blobs.create()
        file = folder / "hebrew_base.safetensors"
        file.write_bytes(base or safetensors(b"hebrew base"))
        await models.import_base(file, "hebrew_base", None, stores=stores)
        address = f"unix:{folder}/registry.sock"
        add = partial(
            add_servicers,
            stores=stores,
            signer=signer,
            lease=timedelta(seconds=lease_s),
            private_webhooks=True,
        )
        server = rpc.build_server(add, bind=address, signer=signer, service="registry", names=SERVICES)
        await server.grpc.start()
        async with rpc.channel(address, signer) as channel:
            yield Registry(stores, signer, database, blobs, *_stubs(channel))
        await server.grpc.stop(0)


def _stubs(channel: grpc.aio.Channel) -> tuple[Any, ...]:
    """Return clients of the services."""
    return (
        accounts_pb2_grpc.AccountServiceStub(channel),
        projects_pb2_grpc.ProjectServiceStub(channel),
        pages_pb2_grpc.PageServiceStub(channel),
        transcriptions_pb2_grpc.TranscriptionServiceStub(channel),
        corrections_pb2_grpc.CorrectionServiceStub(channel),
        ground_truth_pb2_grpc.GroundTruthServiceStub(channel),
        training_pb2_grpc.TrainingServiceStub(channel),
        models_pb2_grpc.ModelServiceStub(channel),
        next_lines_pb2_grpc.NextLineServiceStub(channel),
        webhooks_pb2_grpc.WebhookServiceStub(channel),
        jobs_pb2_grpc.JobServiceStub(channel),
        members_pb2_grpc.MemberServiceStub(channel),
    )


def acting(
    user_id: UUID | None, role: str = "user", work: Work | None = None
) -> contextlib.AbstractContextManager[None]:
    """Call as a user or in a role while the block runs."""
    return context.bind(identity=Identity(role, user_id, work))  # type: ignore[arg-type]


def claiming(message: Any, user_id: UUID | None = None) -> contextlib.AbstractContextManager[None]:
    """Call as the worker that has claimed the run, or the page of a job, that a message names."""
    if not hasattr(message, "job_id"):
        return acting(user_id, "trainer", Work(UUID(message.run_id), message.fence))
    work = Work(UUID(message.job_id), message.fence, message.position)
    return acting(user_id or UUID(message.user_id), "recognizer", work)


def upload(
    data: bytes,
    *,
    project_id: str = "",
    request_id: str = "",
    sha256: bytes = DIGEST,
    chunk: int = 1 << 20,
    **header: Any,
) -> Iterator[pages_pb2.CreatePageRequest]:
    """Return the messages of an upload."""
    image = header.pop("image", {})
    fields = {"width": 200, "height": 100, "media_type": "image/png", "size_bytes": len(data)} | image
    first = pages_pb2.CreatePageHeader(
        project_id=project_id,
        image=page_pb2.Image(**fields),
        request_id=request_id,
        request_sha256=sha256,
        **header,
    )
    yield pages_pb2.CreatePageRequest(header=first)
    for start in range(0, len(data), chunk):
        yield pages_pb2.CreatePageRequest(chunk=data[start : start + chunk])


def read_lines(texts: Sequence[str]) -> list[page_pb2.Line]:
    """Return lines as a recognizer returns them, one below the other."""
    return [
        page_pb2.Line(
            order=i,
            baseline=[page_pb2.Point(x=190, y=20 * i + 5), page_pb2.Point(x=10, y=20 * i + 5)],
            boundary=[page_pb2.Point(x=x, y=20 * i + y) for x, y in ((0, 0), (200, 0), (200, 18), (0, 18))],
            text=text,
            confidence=0.5,
            character_confidences=[0.5] * len(text),
            words=[page_pb2.Word(text=text, confidence=0.5, start=0, end=len(text))] if text else [],
        )
        for i, text in enumerate(texts)
    ]


# Longer than two chunks.
IMAGE = b"\x89PNG" + bytes(range(256)) * 9000


async def create(registry: Registry, data: bytes = IMAGE, **header: Any) -> pages_pb2.CreatePageResponse:
    """Upload a page as the current user."""
    with rpc.raise_ketav_errors():
        return await registry.pages.CreatePage(upload(data, **header))


async def record(
    registry: Registry,
    page: pages_pb2.Page,
    *texts: str,
    version: str = "hebrew_base-1",
    image_sha256: bytes = b"",
) -> transcriptions_pb2.Transcription:
    """Record a transcription of a page as the current user."""
    request = transcriptions_pb2.RecordTranscriptionRequest(
        page_id=page.page_id, model_version=version, lines=read_lines(texts), image_sha256=image_sha256
    )
    with rpc.raise_ketav_errors():
        return (await registry.transcriptions.RecordTranscription(request)).transcription


async def correct(registry: Registry, count: int, *, pages: int = 2, **header: Any) -> list[str]:
    """Upload and read pages as the current user, correct `count` lines of each, and return the page ids."""
    page_ids = []
    for number in range(pages):
        page = (await create(registry, IMAGE[:2000] + bytes([number]), **header)).page
        lines = (await record(registry, page, *(f"שורה {i}" for i in range(count)))).lines
        corrections = [corrections_pb2.LineCorrection(line_id=line.line_id, text=line.text) for line in lines]
        with rpc.raise_ketav_errors():
            await registry.corrections.SubmitCorrections(
                corrections_pb2.SubmitCorrectionsRequest(
                    project_id=page.project_id,
                    page_id=page.page_id,
                    lines=corrections_pb2.LineCorrections(lines=corrections),
                )
            )
        page_ids.append(page.page_id)
    return page_ids


async def queue(
    registry: Registry, user_id: UUID, request_id: str = "", sha256: bytes = b""
) -> training_pb2.TrainingRun:
    """Queue a run of a user."""
    request = training_pb2.CreateTrainingRunRequest(request_id=request_id, request_sha256=sha256)
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.training.CreateTrainingRun(request)).run


async def claim(registry: Registry, run_id: str) -> training_pb2.ClaimTrainingRunResponse:
    """Claim a run as a worker."""
    request = training_pb2.ClaimTrainingRunRequest(run_id=run_id, worker="worker-1")
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        return await registry.training.ClaimTrainingRun(request)


async def queued_run(registry: Registry) -> tuple[UUID, str]:
    """Create a user with enough ground truth and queue a run; return both ids."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    return user_id, (await queue(registry, user_id)).run_id


async def publish(
    registry: Registry, run_id: str, fence: int, *, promote: bool = True, file: bytes = b"", **header: Any
) -> models_pb2.ModelVersion:
    """Publish a model as a worker."""
    file = file or safetensors(run_id.encode())
    fields: dict[str, Any] = {
        "run_id": run_id,
        "fence": fence,
        "size_bytes": len(file),
        "sha256": hashlib.sha256(file).digest(),
        "cer_before": 0.2,
        "cer_after": 0.1,
        "promote": promote,
        "verdict": "promoted" if promote else "rejected",
        "training_lines": 12,
        "model_card": '{"lines": 12}',
    }

    def messages() -> Iterator[models_pb2.PublishModelRequest]:
        """Yield header and chunks."""
        yield models_pb2.PublishModelRequest(header=models_pb2.PublishModelHeader(**fields | header))
        yield models_pb2.PublishModelRequest(chunk=file)

    with acting(None, "trainer", Work(UUID(run_id), fence)), rpc.raise_ketav_errors():
        return (await registry.models.PublishModel(messages())).version


async def set_member(registry: Registry, project_id: str, name: str, role: str) -> members_pb2.Member:
    """Make a user a member of a project of the current user."""
    number = members_pb2.Role.Value(f"ROLE_{role.upper()}")
    request = members_pb2.SetMemberRequest(project_id=project_id, name=name, role=number)
    with rpc.raise_ketav_errors():
        return (await registry.members.SetMember(request)).member


async def delete_page(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> erasure_pb2.Erasure:
    """Delete a page as its user."""
    request = pages_pb2.DeletePageRequest(project_id=page.project_id, page_id=page.page_id)
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.pages.DeletePage(request)).erasure


async def pages_of(registry: Registry, user_id: UUID) -> list[pages_pb2.Page]:
    """Return all pages of a user."""
    pages = []
    with acting(user_id), rpc.raise_ketav_errors():
        listed = await registry.projects.ListProjects(projects_pb2.ListProjectsRequest(limit=100))
        for project in listed.projects:
            request = projects_pb2.GetProjectRequest(project_id=project.project_id)
            parts = [part async for part in registry.projects.GetProject(request)]
            pages += [part.page for part in parts if part.HasField("page")]
    return pages


async def list_projects(registry: Registry, **paging: Any) -> projects_pb2.ListProjectsResponse:
    """Return the current user's projects."""
    with rpc.raise_ketav_errors():
        return await registry.projects.ListProjects(projects_pb2.ListProjectsRequest(**paging))


async def get_project(registry: Registry, project_id: str, **paging: Any) -> list[Any]:
    """Return the messages of a project of the current user."""
    request = projects_pb2.GetProjectRequest(project_id=project_id, **paging)
    with rpc.raise_ketav_errors():
        return [part async for part in registry.projects.GetProject(request)]


async def download(registry: Registry, page: pages_pb2.Page) -> list[Any]:
    """Return the messages of a page's image as the current user."""
    request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
    with rpc.raise_ketav_errors():
        return [part async for part in registry.pages.DownloadImage(request)]


async def correct_lines(registry: Registry, page: pages_pb2.Page, texts: dict[str, str]) -> int:
    """Correct lines of a page by their ids as the current user; return the number of verified lines."""
    lines = [corrections_pb2.LineCorrection(line_id=line_id, text=text) for line_id, text in texts.items()]
    request = corrections_pb2.SubmitCorrectionsRequest(
        project_id=page.project_id, page_id=page.page_id, lines=corrections_pb2.LineCorrections(lines=lines)
    )
    with rpc.raise_ketav_errors():
        return (await registry.corrections.SubmitCorrections(request)).ground_truth_lines


async def read_and_correct(
    registry: Registry, texts: list[str], corrections: dict[int, str], **header: Any
) -> pages_pb2.Page:
    """Upload a page as the current user, record its texts, and correct lines by their order."""
    version = header.pop("version", "hebrew_base-1")
    page = (await create(registry, **header)).page
    lines = (await record(registry, page, *texts, version=version)).lines
    await correct_lines(registry, page, {lines[order].line_id: text for order, text in corrections.items()})
    return page


async def get_run(registry: Registry, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
    """Return a run as its user."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = training_pb2.GetTrainingRunRequest(run_id=run_id, untrained=True)
        return (await registry.training.GetTrainingRun(request)).run


async def cancel_run(registry: Registry, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
    """Cancel a run as its user."""
    request = training_pb2.CancelTrainingRunRequest(run_id=run_id)
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.training.CancelTrainingRun(request)).run


async def expire_lease(postgres: PostgresServer, database: str, run_id: str) -> None:
    """Set the end of a run's lease to a time in the past."""
    query = "UPDATE training_run SET lease_until = now() - interval '1 second' WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id))


async def report(registry: Registry, run_id: str, fence: int, **figures: Any) -> bool:
    """Report progress as a worker; return cancel_requested."""
    fields = {"state": training_pb2.TRAINING_RUN_STATE_RUNNING, "epoch": 1, "epochs": 10} | figures
    request = training_pb2.ReportTrainingProgressRequest(run_id=run_id, fence=fence, **fields)
    with claiming(request), rpc.raise_ketav_errors():
        return (await registry.training.ReportTrainingProgress(request)).cancel_requested


async def sweep_runs(registry: Registry) -> set[str]:
    """Sweep as the trainer; return the ids of all queued runs."""
    with acting(None, "trainer"), rpc.raise_ketav_errors():
        response = await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())
    return set(response.run_ids)


async def runs_of(registry: Registry, user_id: UUID, run_ids: Iterable[str]) -> list[str]:
    """Return the runs that belong to a user."""
    belonging = []
    for run_id in run_ids:
        with contextlib.suppress(NotFound):
            belonging.append((await get_run(registry, user_id, run_id)).run_id)
    return belonging


async def serving(registry: Registry, user_id: UUID, script: Any = 0) -> str:
    """Return the version that serves a user."""
    request = models_pb2.GetUserModelRequest(script=script)
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.models.GetUserModel(request)).model.version
