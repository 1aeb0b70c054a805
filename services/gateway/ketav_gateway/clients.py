"""Calls to the three services: every one with a deadline, every failure a domain error."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import grpc

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import (
    accounts_pb2,
    accounts_pb2_grpc,
    corrections_pb2,
    corrections_pb2_grpc,
    erasure_pb2,
    ground_truth_pb2,
    ground_truth_pb2_grpc,
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
)
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common import context
from ketav_common.errors import Forbidden, Internal, Unauthenticated, Unavailable
from ketav_common.identity import Identity
from ketav_common.limits import CHUNK_BYTES
from ketav_common.rpc import translated

Message = TypeVar("Message")


@dataclass(frozen=True)
class Deadlines:
    """Seconds that the kinds of calls may take."""

    call: float
    store: float
    recognize: float
    watch: float


@contextmanager
def asking() -> Iterator[None]:
    """Translate a service's error; that it does not believe the gateway is not the client's fault."""
    try:
        with translated():
            yield
    except (Unauthenticated, Forbidden) as error:
        raise Internal(f"a service refused the gateway: {error.code}") from error


def _chunks(path: Path) -> Iterator[bytes]:
    """Cut a file into pieces of 1 MiB."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _parts(kind: Callable[..., Message], header: object, path: Path) -> AsyncIterator[Message]:
    """Yield the messages of an upload: the header, then the file's bytes."""
    yield kind(header=header)
    for chunk in _chunks(path):
        yield kind(chunk=chunk)


class Registry:
    """The memory."""

    def __init__(self, channel: grpc.aio.Channel, deadlines: Deadlines) -> None:
        """Take an open channel and the seconds each kind of call may take."""
        self._accounts = accounts_pb2_grpc.AccountServiceStub(channel)
        self._models = models_pb2_grpc.ModelServiceStub(channel)
        self._projects = projects_pb2_grpc.ProjectServiceStub(channel)
        self._pages = pages_pb2_grpc.PageServiceStub(channel)
        self._transcriptions = transcriptions_pb2_grpc.TranscriptionServiceStub(channel)
        self._corrections = corrections_pb2_grpc.CorrectionServiceStub(channel)
        self._ground_truth = ground_truth_pb2_grpc.GroundTruthServiceStub(channel)
        self._training = training_pb2_grpc.TrainingServiceStub(channel)
        self._next_lines = next_lines_pb2_grpc.NextLineServiceStub(channel)
        self._deadlines = deadlines

    async def resolve_api_key(self, key_sha256: bytes) -> UUID:
        """Return the user of a key, asked in the gateway's own name; NotFound when it is nobody's."""
        request = accounts_pb2.ResolveApiKeyRequest(key_sha256=key_sha256)
        with context.bind(identity=Identity(role="gateway", user_id=None)), asking():
            answer = await self._accounts.ResolveApiKey(request, timeout=self._deadlines.call)
        return UUID(answer.user_id)

    async def create_page(
        self, header: pages_pb2.CreatePageHeader, path: Path
    ) -> pages_pb2.CreatePageResponse:
        """Store an image file as a page."""
        parts = _parts(pages_pb2.CreatePageRequest, header, path)
        with asking():
            return await self._pages.CreatePage(parts, timeout=self._deadlines.store)

    async def require_project(self, project_id: str) -> None:
        """Make sure that a project is the caller's (NotFound)."""
        async for _ in self.get_project(project_id, "", 1):
            pass

    async def import_ground_truth(
        self, header: ground_truth_pb2.ImportGroundTruthHeader, path: Path
    ) -> ground_truth_pb2.ImportGroundTruthResponse:
        """Store an image file with lines whose texts are known."""
        parts = _parts(ground_truth_pb2.ImportGroundTruthRequest, header, path)
        with asking():
            return await self._ground_truth.ImportGroundTruth(parts, timeout=self._deadlines.store)

    async def record_transcription(
        self, page_id: str, reading: recognizer_pb2.RecognizePageResponse
    ) -> transcriptions_pb2.Transcription:
        """Store what was read on a page."""
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page_id, model_version=reading.model_version, lines=reading.lines
        )
        with asking():
            answer = await self._transcriptions.RecordTranscription(request, timeout=self._deadlines.call)
        return answer.transcription

    async def submit_corrections(
        self, request: corrections_pb2.SubmitCorrectionsRequest
    ) -> corrections_pb2.SubmitCorrectionsResponse:
        """Store corrections of a page."""
        with asking():
            return await self._corrections.SubmitCorrections(request, timeout=self._deadlines.call)

    async def list_projects(self, cursor: str, limit: int) -> projects_pb2.ListProjectsResponse:
        """List the caller's projects."""
        request = projects_pb2.ListProjectsRequest(cursor=cursor, limit=limit)
        with asking():
            return await self._projects.ListProjects(request, timeout=self._deadlines.call)

    async def get_project(
        self, project_id: str, cursor: str, limit: int
    ) -> AsyncIterator[projects_pb2.GetProjectResponse]:
        """Yield a project, its pages, and perhaps a cursor."""
        request = projects_pb2.GetProjectRequest(project_id=project_id, cursor=cursor, limit=limit)
        with asking():
            async for part in self._projects.GetProject(request, timeout=self._deadlines.store):
                yield part

    async def get_page(self, project_id: str, page_id: str) -> pages_pb2.Page:
        """Return a page with its latest transcription."""
        request = pages_pb2.GetPageRequest(project_id=project_id, page_id=page_id)
        with asking():
            answer = await self._pages.GetPage(request, timeout=self._deadlines.call)
        return answer.page

    async def download_image(
        self, project_id: str, page_id: str, target: Path, version: str = ""
    ) -> pages_pb2.DownloadImageHeader:
        """Fetch a page's image into a file, completely: its digest is known to match only at the end.

        The header names the model that reads it: `version`, or the one that serves.
        """
        request = pages_pb2.DownloadImageRequest(
            project_id=project_id, page_id=page_id, model_version=version
        )
        header: pages_pb2.DownloadImageHeader | None = None
        with asking(), target.open("wb") as file:
            async for part in self._pages.DownloadImage(request, timeout=self._deadlines.store):
                if part.HasField("header"):
                    header = part.header
                file.write(part.chunk)
        if header is None:
            raise Unavailable("the image ended before it began")
        return header

    async def delete_page(self, project_id: str, page_id: str) -> erasure_pb2.Erasure:
        """Delete a page."""
        request = pages_pb2.DeletePageRequest(project_id=project_id, page_id=page_id)
        with asking():
            return (await self._pages.DeletePage(request, timeout=self._deadlines.store)).erasure

    async def delete_project(self, project_id: str) -> erasure_pb2.Erasure:
        """Delete a project with its pages."""
        request = projects_pb2.DeleteProjectRequest(project_id=project_id)
        with asking():
            return (await self._projects.DeleteProject(request, timeout=self._deadlines.store)).erasure

    async def list_models(self, cursor: str, limit: int) -> models_pb2.ListModelsResponse:
        """List the caller's versions and the bases."""
        request = models_pb2.ListModelsRequest(cursor=cursor, limit=limit)
        with asking():
            return await self._models.ListModels(request, timeout=self._deadlines.call)

    async def get_model(self, version: str) -> models_pb2.GetModelResponse:
        """Return a version with its lineage and card."""
        request = models_pb2.GetModelRequest(version=version)
        with asking():
            return await self._models.GetModel(request, timeout=self._deadlines.call)

    async def activate_model(self, version: str) -> models_pb2.ModelVersion:
        """Make a version the active one."""
        request = models_pb2.ActivateModelRequest(version=version)
        with asking():
            answer = await self._models.ActivateModel(request, timeout=self._deadlines.call)
        return answer.version

    async def get_readiness(self, script: page_pb2.Script.ValueType) -> training_pb2.GetReadinessResponse:
        """Say how near the caller's next runs are, of one script or of each."""
        request = training_pb2.GetReadinessRequest(script=script)
        with asking():
            return await self._training.GetReadiness(request, timeout=self._deadlines.call)

    async def list_progress(
        self, script: page_pb2.Script.ValueType, cursor: str, limit: int
    ) -> models_pb2.ListModelProgressResponse:
        """List the caller's pages with what was misread on them at first."""
        request = models_pb2.ListModelProgressRequest(script=script, cursor=cursor, limit=limit)
        with asking():
            return await self._models.ListModelProgress(request, timeout=self._deadlines.call)

    async def list_next_lines(self, project_id: str, limit: int) -> next_lines_pb2.ListNextLinesResponse:
        """Return the lines of a project whose correction would teach most."""
        request = next_lines_pb2.ListNextLinesRequest(project_id=project_id, limit=limit)
        with asking():
            return await self._next_lines.ListNextLines(request, timeout=self._deadlines.call)

    async def get_training_policy(self) -> training_pb2.TrainingPolicy:
        """Return the caller's policy."""
        request = training_pb2.GetTrainingPolicyRequest()
        with asking():
            answer = await self._training.GetTrainingPolicy(request, timeout=self._deadlines.call)
        return answer.policy

    async def set_training_policy(self, policy: training_pb2.TrainingPolicy) -> training_pb2.TrainingPolicy:
        """Replace the caller's policy."""
        request = training_pb2.SetTrainingPolicyRequest(policy=policy)
        with asking():
            answer = await self._training.SetTrainingPolicy(request, timeout=self._deadlines.call)
        return answer.policy

    async def get_training_run(self, run_id: str) -> training_pb2.TrainingRun:
        """Return a run of the caller."""
        request = training_pb2.GetTrainingRunRequest(run_id=run_id)
        with asking():
            answer = await self._training.GetTrainingRun(request, timeout=self._deadlines.call)
        return answer.run

    async def cancel_training_run(self, run_id: str) -> training_pb2.TrainingRun:
        """Ask for the end of a run of the caller."""
        request = training_pb2.CancelTrainingRunRequest(run_id=run_id)
        with asking():
            answer = await self._training.CancelTrainingRun(request, timeout=self._deadlines.call)
        return answer.run


class Recognizer:
    """The eye."""

    def __init__(self, channel: grpc.aio.Channel, deadlines: Deadlines) -> None:
        """Take an open channel and the seconds each kind of call may take."""
        self._stub = recognizer_pb2_grpc.RecognizerServiceStub(channel)
        self._deadlines = deadlines

    async def recognize_page(
        self, model: page_pb2.Model, layout: page_pb2.Layout.ValueType, path: Path, size_bytes: int
    ) -> recognizer_pb2.RecognizePageResponse:
        """Read an image file with a model."""
        header = recognizer_pb2.RecognizePageHeader(model=model, layout=layout, size_bytes=size_bytes)
        parts = _parts(recognizer_pb2.RecognizePageRequest, header, path)
        with asking():
            return await self._stub.RecognizePage(parts, timeout=self._deadlines.recognize)


class Trainer:
    """The long job's front."""

    def __init__(self, channel: grpc.aio.Channel, deadlines: Deadlines) -> None:
        """Take an open channel and the seconds each kind of call may take."""
        self._stub = trainer_pb2_grpc.TrainerServiceStub(channel)
        self._deadlines = deadlines

    async def start_training(self, request_id: str) -> training_pb2.TrainingRun:
        """Queue a run of the caller."""
        request = trainer_pb2.StartTrainingRequest(request_id=request_id)
        with asking():
            answer = await self._stub.StartTraining(request, timeout=self._deadlines.call)
        return answer.run

    async def watch_training(
        self, run_id: str, after_revision: int
    ) -> AsyncIterator[training_pb2.TrainingRun]:
        """Yield a run of the caller at each change, until it has ended or the deadline passes."""
        request = trainer_pb2.WatchTrainingRequest(run_id=run_id, after_revision=after_revision)
        with asking():
            async for change in self._stub.WatchTraining(request, timeout=self._deadlines.watch):
                yield change.run
