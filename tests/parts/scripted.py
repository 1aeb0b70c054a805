"""Scripted services behind real gRPC servers: for the gateway's translation and error paths only.

They remember what was called and keep pages in memory; `failures` makes a method fail. The real services have
tests of their own.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

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
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common import context
from ketav_common.errors import InvalidInput, KetavError, NotFound

TIME = Timestamp(seconds=1_760_000_000)
BASE = page_pb2.Model(
    version="hebrew_base-1", kind=page_pb2.MODEL_KIND_BASE, sha256=b"\x5a" * 32, size_bytes=7_000_000
)
TEXT = "שלום עולם"
_DOUBT = page_pb2.Quarantine(code="empty-text", reason="There is no text.")


def run(**changes: Any) -> training_pb2.TrainingRun:
    """Return a queued training run."""
    facts: dict[str, Any] = {
        "run_id": str(uuid4()),
        "state": training_pb2.TRAINING_RUN_STATE_QUEUED,
        "script": page_pb2.SCRIPT_MODERN_CURSIVE,
        "revision": 1,
        "training_lines": 16,
        "holdout_lines": 4,
        "create_time": TIME,
        "update_time": TIME,
    }
    return training_pb2.TrainingRun(**(facts | changes))


@dataclass
class Script:
    """What the scripted services know and were asked."""

    keys: dict[bytes, str] = field(default_factory=dict)
    failures: dict[str, KetavError] = field(default_factory=dict)
    recognize_s: float = 0.0
    calls: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    projects: dict[str, tuple[str, projects_pb2.Project]] = field(default_factory=dict)
    pages: dict[str, pages_pb2.Page] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    by_request: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    run: training_pb2.TrainingRun = field(default_factory=run)
    policy: training_pb2.TrainingPolicy = field(
        default_factory=partial(training_pb2.TrainingPolicy, automatic=True, minimum_gap_seconds=300)
    )

    def add_key(self, key: str) -> str:
        """Make a user with this API key; return its id."""
        user_id = str(uuid4())
        self.keys[hashlib.sha256(key.encode()).digest()] = user_id
        return user_id

    def enter(self, method: str, request: Any = None) -> None:
        """Note a call, and fail it when the script says so."""
        self.calls.append(method)
        self.requests.append(request)
        if method in self.failures:
            raise self.failures[method]

    def owned(self, project_id: str) -> projects_pb2.Project:
        """Return a project of the caller."""
        owner, project = self.projects.get(project_id, ("", projects_pb2.Project()))
        if owner != str(context.current_user()):
            raise NotFound("no such project")
        return project

    def page(self, project_id: str, page_id: str) -> pages_pb2.Page:
        """Return a page of the caller."""
        self.owned(project_id)
        page = self.pages.get(page_id)
        if page is None or page.project_id != project_id:
            raise NotFound("no such page")
        return page

    def forget(self, project_id: str, page_id: str = "") -> erasure_pb2.Erasure:
        """Delete a page of the caller, or a project with its pages."""
        self.owned(project_id)
        doomed = [self.page(project_id, page_id)] if page_id else [*self.pages.values()]
        doomed = [page for page in doomed if page.project_id == project_id]
        for page in doomed:
            del self.pages[page.page_id]
        if not page_id:
            del self.projects[project_id]
        return erasure_pb2.Erasure(
            pages=len(doomed),
            lines=sum(len(page.transcription.lines) for page in doomed),
            tainted_versions=["version-1"],
            cancelled_run_id=self.run.run_id,
            retraining=True,
        )


class Accounts(accounts_pb2_grpc.AccountServiceServicer):
    """Knows the script's keys."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def ResolveApiKey(self, request: Any, context: Any) -> Any:
        """Resolve a key."""
        self.script.enter("ResolveApiKey", request)
        if request.key_sha256 not in self.script.keys:
            raise NotFound
        return accounts_pb2.ResolveApiKeyResponse(user_id=self.script.keys[request.key_sha256])

    async def DeleteAccount(self, request: Any, context: Any) -> Any:
        """Forget the caller's keys and pages."""
        self.script.enter("DeleteAccount", request)
        user = _user()
        self.script.keys = {key: owner for key, owner in self.script.keys.items() if owner != user}
        mine = [project for project, (owner, _) in self.script.projects.items() if owner == user]
        erasures = [self.script.forget(project) for project in mine]
        return accounts_pb2.DeleteAccountResponse(
            erasure=erasure_pb2.Erasure(pages=sum(each.pages for each in erasures))
        )


class Projects(
    projects_pb2_grpc.ProjectServiceServicer,
    pages_pb2_grpc.PageServiceServicer,
    transcriptions_pb2_grpc.TranscriptionServiceServicer,
    corrections_pb2_grpc.CorrectionServiceServicer,
    ground_truth_pb2_grpc.GroundTruthServiceServicer,
):
    """Keeps pages in memory."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def CreatePage(self, request_iterator: Any, context: Any) -> Any:
        """Keep an image."""
        parts = [part async for part in request_iterator]
        header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
        self.script.enter("CreatePage", header)
        if header.request_id in self.script.by_request:
            page = self.script.pages[self.script.by_request[header.request_id][1]]
            return pages_pb2.CreatePageResponse(page=page, model=BASE)
        page = self._keep(header, data)
        if header.request_id:
            self.script.by_request[header.request_id] = (header.request_sha256, page.page_id)
        return pages_pb2.CreatePageResponse(page=page, model=BASE)

    ExportGroundTruth = None  # type: ignore[assignment]

    def _keep(self, header: Any, data: bytes) -> pages_pb2.Page:
        """Make the project, if need be, and the page."""
        if header.project_id:
            project = self.script.owned(header.project_id)
        else:
            project = projects_pb2.Project(
                project_id=str(uuid4()),
                name=header.project_name or "2026-01-01",
                script=header.script,
                create_time=TIME,
            )
            self.script.projects[project.project_id] = (str(context.current_user()), project)
        page = pages_pb2.Page(
            page_id=str(uuid4()),
            project_id=project.project_id,
            image=header.image,
            layout=header.layout,
            state=pages_pb2.PAGE_STATE_STORED,
            create_time=TIME,
        )
        self.script.pages[page.page_id] = page
        self.script.images[page.page_id] = data
        return page

    async def RecordTranscription(self, request: Any, context: Any) -> Any:
        """Keep a reading."""
        self.script.enter("RecordTranscription", request)
        page = self.script.pages[request.page_id]
        for line in request.lines:
            line.line_id = str(uuid4())
        page.state = pages_pb2.PAGE_STATE_READ
        page.transcription.CopyFrom(
            transcriptions_pb2.Transcription(
                transcription_id=str(uuid4()), model=BASE, lines=request.lines, create_time=TIME
            )
        )
        return transcriptions_pb2.RecordTranscriptionResponse(transcription=page.transcription)

    async def ImportGroundTruth(self, request_iterator: Any, context: Any) -> Any:
        """Keep an image with its lines; the same image is the same page."""
        parts = [part async for part in request_iterator]
        header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
        self.script.enter("ImportGroundTruth", header)
        self.script.owned(header.project_id)
        known = (page for page, image in self.script.images.items() if image == data)
        page_id = next(known, "")
        if page_id:
            return ground_truth_pb2.ImportGroundTruthResponse(page_id=page_id)
        page = self._keep(header, data)
        lines = [
            page_pb2.Line(
                line_id=str(uuid4()),
                order=order,
                baseline=line.baseline,
                boundary=line.boundary,
                corrected_text=line.text,
            )
            for order, line in enumerate(header.lines)
        ]
        page.state = pages_pb2.PAGE_STATE_READ
        page.transcription.CopyFrom(
            transcriptions_pb2.Transcription(transcription_id=str(uuid4()), lines=lines, create_time=TIME)
        )
        doubts = [
            ground_truth_pb2.QuarantinedImport(line=order, quarantine=_DOUBT)
            for order, line in enumerate(header.lines)
            if line.text in self.script.doubtful
        ]
        return ground_truth_pb2.ImportGroundTruthResponse(
            page_id=page.page_id,
            imported_lines=len(lines),
            quarantined=doubts,
            ground_truth_lines=len(lines) - len(doubts),
        )

    async def SubmitCorrections(self, request: Any, context: Any) -> Any:
        """Keep corrected lines."""
        self.script.enter("SubmitCorrections", request)
        page = self.script.page(request.project_id, request.page_id)
        texts = {line.line_id: line.text for line in request.lines.lines}
        for line in page.transcription.lines:
            if line.line_id in texts:
                line.corrected_text = texts[line.line_id]
        doubted = [
            corrections_pb2.QuarantinedLine(line_id=each.line_id, quarantine=_DOUBT)
            for each in request.lines.lines
            if not each.text and not each.confirm
        ]
        for line in page.transcription.lines:
            if line.line_id in {each.line_id for each in doubted}:
                line.quarantine.CopyFrom(_DOUBT)
        unaligned = [corrections_pb2.UnalignedLine(text=request.corrected_text, reason="fits no line")]
        return corrections_pb2.SubmitCorrectionsResponse(
            feedback_id=str(uuid4()),
            accepted_lines=len(texts),
            unaligned=unaligned if request.corrected_text else [],
            ground_truth_lines=len(texts) - len(doubted),
            quarantined=doubted,
        )

    async def ListProjects(self, request: Any, context: Any) -> Any:
        """List the caller's projects."""
        self.script.enter("ListProjects", request)
        if request.cursor and request.cursor != "second":
            raise InvalidInput("the cursor is not one of ours", code="invalid-cursor")
        user = _user()
        found = [project for owner, project in self.script.projects.values() if owner == user]
        return projects_pb2.ListProjectsResponse(
            projects=found, next_cursor="" if request.cursor else "second"
        )

    async def GetProject(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream a project."""
        self.script.enter("GetProject", request)
        yield projects_pb2.GetProjectResponse(project=self.script.owned(request.project_id))
        for page in self.script.pages.values():
            if page.project_id == request.project_id:
                yield projects_pb2.GetProjectResponse(page=page)

    async def GetPage(self, request: Any, context: Any) -> Any:
        """Return a page."""
        self.script.enter("GetPage", request)
        return pages_pb2.GetPageResponse(page=self.script.page(request.project_id, request.page_id))

    async def DownloadImage(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream an image."""
        self.script.enter("DownloadImage", request)
        page = self.script.page(request.project_id, request.page_id)
        yield pages_pb2.DownloadImageResponse(header=pages_pb2.DownloadImageHeader(page=page, model=BASE))
        yield pages_pb2.DownloadImageResponse(chunk=self.script.images[request.page_id])

    async def DeletePage(self, request: Any, context: Any) -> Any:
        """Forget a page."""
        self.script.enter("DeletePage", request)
        done = self.script.forget(request.project_id, request.page_id)
        return pages_pb2.DeletePageResponse(erasure=done)

    async def DeleteProject(self, request: Any, context: Any) -> Any:
        """Forget a project."""
        self.script.enter("DeleteProject", request)
        return projects_pb2.DeleteProjectResponse(erasure=self.script.forget(request.project_id))


def _user() -> str:
    """Return the calling user's id."""
    return str(context.current_user())


class Models(models_pb2_grpc.ModelServiceServicer):
    """Knows the base model."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    def _base(self) -> models_pb2.ModelVersion:
        """Return the base model's record."""
        return models_pb2.ModelVersion(
            model=BASE,
            script=page_pb2.SCRIPT_UNSPECIFIED,
            state=models_pb2.MODEL_STATE_ACTIVE,
            create_time=TIME,
        )

    async def ListModels(self, request: Any, context: Any) -> Any:
        """List it."""
        self.script.enter("ListModels", request)
        return models_pb2.ListModelsResponse(versions=[self._base()])

    async def GetModel(self, request: Any, context: Any) -> Any:
        """Return it."""
        self.script.enter("GetModel", request)
        if request.version != BASE.version:
            raise NotFound("no such version")
        found = models_pb2.GetModelResponse(version=self._base(), lineage=[self._base()])
        found.version.card_json = '{"epochs": 3}'
        return found

    async def ActivateModel(self, request: Any, context: Any) -> Any:
        """Activate it."""
        self.script.enter("ActivateModel", request)
        if request.version != BASE.version:
            raise NotFound("no such version")
        return models_pb2.ActivateModelResponse(version=self._base())

    async def ListModelProgress(self, request: Any, context: Any) -> Any:
        """Show one page that was read with two errors."""
        self.script.enter("ListModelProgress", request)
        if request.cursor and request.cursor != "second":
            raise InvalidInput("the cursor is not one of ours", code="invalid-cursor")
        facts: dict[str, Any] = {
            "model": BASE,
            "script": page_pb2.SCRIPT_SQUARE,
            "errors": models_pb2.ReadingErrors(lines=1, edits=2, length=16),
        }
        page = models_pb2.PageProgress(page_id=str(uuid4()), project_id=str(uuid4()), read_time=TIME, **facts)
        version = models_pb2.VersionProgress(pages=1, first_read_time=TIME, last_read_time=TIME, **facts)
        if request.cursor:
            version.errors.Clear()
        return models_pb2.ListModelProgressResponse(
            pages=[page],
            next_cursor="" if request.cursor else "second",
            versions=[version],
            versions_complete=True,
        )

    GetUserModel = DownloadModel = PublishModel = CheckModels = None  # type: ignore[assignment]


class Runs(training_pb2_grpc.TrainingServiceServicer):
    """Knows one run."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def GetTrainingRun(self, request: Any, context: Any) -> Any:
        """Return it."""
        self.script.enter("GetTrainingRun", request)
        if request.run_id != self.script.run.run_id:
            raise NotFound("no such run")
        return training_pb2.GetTrainingRunResponse(run=self.script.run)

    async def CancelTrainingRun(self, request: Any, context: Any) -> Any:
        """Cancel it."""
        self.script.enter("CancelTrainingRun", request)
        self.script.run.cancel_requested = True
        return training_pb2.CancelTrainingRunResponse(run=self.script.run)

    CreateTrainingRun = ClaimTrainingRun = ReportTrainingProgress = EndTrainingRun = None  # type: ignore[assignment]
    SweepTrainingRuns = None  # type: ignore[assignment]

    async def GetReadiness(self, request: Any, context: Any) -> Any:
        """Say that a run is near."""
        self.script.enter("GetReadiness", request)
        gain = training_pb2.ExpectedGain(
            relative_gain=0.25, basis=training_pb2.GAIN_BASIS_PUBLISHED_CURVE, source="a curve"
        )
        near = training_pb2.Readiness(
            script=request.script or page_pb2.SCRIPT_SQUARE,
            verified_lines=5,
            next_run_lines=16,
            missing_lines=11,
            wait_reason=training_pb2.WAIT_REASON_TOO_FEW_LINES,
            reason="11 to go",
            expected_gain=gain,
        )
        return training_pb2.GetReadinessResponse(
            scripts=[near], policy=self.script.policy, policy_text="by itself"
        )

    async def GetTrainingPolicy(self, request: Any, context: Any) -> Any:
        """Return it."""
        self.script.enter("GetTrainingPolicy", request)
        return training_pb2.GetTrainingPolicyResponse(policy=self.script.policy)

    async def SetTrainingPolicy(self, request: Any, context: Any) -> Any:
        """Keep another."""
        self.script.enter("SetTrainingPolicy", request)
        self.script.policy = request.policy
        return training_pb2.SetTrainingPolicyResponse(policy=request.policy)


class NextLines(next_lines_pb2_grpc.NextLineServiceServicer):
    """Knows one line."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def ListNextLines(self, request: Any, context: Any) -> Any:
        """Show one line of a project of the caller."""
        self.script.enter("ListNextLines", request)
        self.script.owned(request.project_id)
        line = next_lines_pb2.NextLine(
            line_id=str(uuid4()),
            page_id=str(uuid4()),
            order=3,
            text=TEXT,
            uncertainty=0.25,
            novelty=0.5,
            reason="new",
        )
        return next_lines_pb2.ListNextLinesResponse(lines=[line], candidates=7)


class Reader(recognizer_pb2_grpc.RecognizerServiceServicer):
    """Reads the same two lines on every image."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def RecognizePage(self, request_iterator: Any, context: Any) -> Any:
        """Read."""
        parts = [part async for part in request_iterator]
        header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
        self.script.enter("RecognizePage", header)
        await asyncio.sleep(self.script.recognize_s)
        if len(data) != header.size_bytes:
            raise InvalidInput("the image is cut off")
        lines = [_line(order, text) for order, text in enumerate((TEXT, "שורה שנייה"))]
        return recognizer_pb2.RecognizePageResponse(model_version=header.model.version, lines=lines)


def _line(order: int, text: str) -> page_pb2.Line:
    """Return a line with its words."""
    top = 40 * order
    words, start = [], 0
    for word in text.split(" "):
        end = start + len(word)
        words.append(page_pb2.Word(text=word, confidence=0.9, start=start, end=end))
        start = end + 1
    return page_pb2.Line(
        order=order,
        baseline=[page_pb2.Point(x=10, y=top + 30), page_pb2.Point(x=90, y=top + 30)],
        boundary=[
            page_pb2.Point(x=x, y=y) for x, y in ((10, top), (90, top), (90, top + 38), (10, top + 38))
        ],
        text=text,
        confidence=0.9,
        words=words,
    )


class Training(trainer_pb2_grpc.TrainerServiceServicer):
    """Starts the script's run."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script

    async def StartTraining(self, request: Any, context: Any) -> Any:
        """Start it."""
        self.script.enter("StartTraining", request)
        return trainer_pb2.StartTrainingResponse(run=self.script.run)

    async def WatchTraining(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Show it changing twice, then end."""
        self.script.enter("WatchTraining", request)
        last = self.script.run.revision + 1
        for revision in range(max(request.after_revision, self.script.run.revision - 1) + 1, last + 1):
            state = training_pb2.TRAINING_RUN_STATE_SUCCEEDED if revision == last else self.script.run.state
            yield trainer_pb2.WatchTrainingResponse(
                run=run(run_id=self.script.run.run_id, revision=revision, state=state)
            )


class Webhooks(webhooks_pb2_grpc.WebhookServiceServicer):
    """Keeps a webhook of each user in memory."""

    def __init__(self, script: Script) -> None:
        """Take the script of answers."""
        self.script = script
        self.urls: dict[str, str] = {}

    def _webhook(self) -> webhooks_pb2.Webhook:
        """Return the caller's."""
        if _user() not in self.urls:
            raise NotFound("no webhook")
        delivery = webhooks_pb2.WebhookDelivery(
            delivery_id=str(uuid4()),
            event="training.succeeded",
            state=webhooks_pb2.DELIVERY_STATE_DELIVERED,
            attempts=1,
            create_time=TIME,
        )
        return webhooks_pb2.Webhook(url=self.urls[_user()], create_time=TIME, deliveries=[delivery])

    async def SetWebhook(self, request: Any, context: Any) -> Any:
        """Keep it."""
        self.script.enter("SetWebhook", request)
        self.urls[_user()] = request.url
        return webhooks_pb2.SetWebhookResponse(webhook=self._webhook(), secret="whsec_c2VjcmV0")

    async def GetWebhook(self, request: Any, context: Any) -> Any:
        """Return it."""
        self.script.enter("GetWebhook", request)
        return webhooks_pb2.GetWebhookResponse(webhook=self._webhook())

    async def DeleteWebhook(self, request: Any, context: Any) -> Any:
        """Forget it."""
        self.script.enter("DeleteWebhook", request)
        self._webhook()
        del self.urls[_user()]
        return webhooks_pb2.DeleteWebhookResponse()

    async def TestWebhook(self, request: Any, context: Any) -> Any:
        """Pretend to try it."""
        self.script.enter("TestWebhook", request)
        self._webhook()
        return webhooks_pb2.TestWebhookResponse(delivery_id=str(uuid4()))

    ClaimDeliveries = ReportDelivery = None  # type: ignore[assignment]


def add_registry(script: Script, server: grpc.aio.Server) -> None:
    """Register the registry's services."""
    accounts_pb2_grpc.add_AccountServiceServicer_to_server(Accounts(script), server)
    projects = Projects(script)
    projects_pb2_grpc.add_ProjectServiceServicer_to_server(projects, server)
    pages_pb2_grpc.add_PageServiceServicer_to_server(projects, server)
    transcriptions_pb2_grpc.add_TranscriptionServiceServicer_to_server(projects, server)
    corrections_pb2_grpc.add_CorrectionServiceServicer_to_server(projects, server)
    ground_truth_pb2_grpc.add_GroundTruthServiceServicer_to_server(projects, server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(Models(script), server)
    training_pb2_grpc.add_TrainingServiceServicer_to_server(Runs(script), server)
    next_lines_pb2_grpc.add_NextLineServiceServicer_to_server(NextLines(script), server)
    webhooks_pb2_grpc.add_WebhookServiceServicer_to_server(Webhooks(script), server)


def add_recognizer(script: Script, server: grpc.aio.Server) -> None:
    """Register the recognizer's service."""
    recognizer_pb2_grpc.add_RecognizerServiceServicer_to_server(Reader(script), server)


def add_trainer(script: Script, server: grpc.aio.Server) -> None:
    """Register the trainer's service."""
    trainer_pb2_grpc.add_TrainerServiceServicer_to_server(Training(script), server)
