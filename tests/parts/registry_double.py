"""A registry in memory for faults that the real one cannot be made to have at an exact moment.

It is unavailable for milliseconds, changes a fence between two heartbeats, sends other bytes than a digest
names, and starts without PostgreSQL. `tests/contract/test_registry_contract.py` holds it to the contract of
the real one.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import grpc

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
)
from ketav_common import rpc
from ketav_common.context import current_identity
from ketav_common.errors import Conflict, NotFound, Precondition, Stale, Unavailable
from ketav_common.identity import Signer
from tests.parts.pages import draw_page, place_of, random_lines

RunState = training_pb2.TrainingRunState
QUEUED, RUNNING, EVALUATING, SUCCEEDED, REJECTED, FAILED, CANCELLED = RunState.values()[1:]
LEASED_STATES = {RUNNING, EVALUATING}
ENDED = {SUCCEEDED, REJECTED, FAILED, CANCELLED}


@dataclass
class Run:
    """A run, its user, and the fence and lease of its worker."""

    message: training_pb2.TrainingRun
    user_id: UUID
    fence: int = 0
    until: float = 0.0
    history: list[int] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        """Set fields, record the state, and raise the revision when one of them changes."""
        if all(getattr(self.message, name) == value for name, value in fields.items()):
            return
        for name, value in fields.items():
            setattr(self.message, name, value)
        self.message.revision += 1
        if not self.history or self.history[-1] != self.message.state:
            self.history.append(self.message.state)


class RegistryDouble(
    training_pb2_grpc.TrainingServiceServicer,
    ground_truth_pb2_grpc.GroundTruthServiceServicer,
    models_pb2_grpc.ModelServiceServicer,
):
    """The services of the registry that the trainer and the recognizer call."""

    def __init__(self, parent: bytes, lease_s: int = 30) -> None:
        """Take the model to fine-tune and the seconds of a lease."""
        self.lease_s = lease_s
        self.parent = parent
        self.texts = random_lines(24)
        self.holdout = 8
        self.misread: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        self.published: list[models_pb2.PublishModelHeader] = []
        self.files: dict[bytes, bytes] = {hashlib.sha256(parent).digest(): parent}
        self.unavailable = False
        self.yield_requested = False
        self.downloads = 0
        self.changed = asyncio.Event()

    def queue(self, user_id: UUID | None = None) -> str:
        """Queue a run and return its id."""
        run_id = str(uuid4())
        message = training_pb2.TrainingRun(run_id=run_id, state=QUEUED, revision=1)
        self.runs[run_id] = Run(message, user_id or uuid4(), history=[QUEUED])
        return run_id

    async def until(self, run_id: str, *states: int, seconds: float = 30) -> Run:
        """Wait until a run is in one of the states."""
        run = self.runs[run_id]
        async with asyncio.timeout(seconds):
            while run.message.state not in states:
                await self.changed.wait()
                self.changed.clear()
        return run

    async def CreateTrainingRun(self, request: Any, context: Any) -> training_pb2.CreateTrainingRunResponse:
        """Queue a run of the caller unless one is active."""
        self._check_available()
        user = current_identity().user_id
        if any(run.user_id == user and run.message.state not in ENDED for run in self.runs.values()):
            raise Conflict(code="run-active")
        return training_pb2.CreateTrainingRunResponse(run=self.runs[self.queue(user)].message)

    async def GetTrainingRun(self, request: Any, context: Any) -> training_pb2.GetTrainingRunResponse:
        """Return a run of the caller."""
        self._check_available()
        return training_pb2.GetTrainingRunResponse(run=self._own(request.run_id).message)

    async def ClaimTrainingRun(self, request: Any, context: Any) -> training_pb2.ClaimTrainingRunResponse:
        """Claim a queued or abandoned run for the caller."""
        self._check_available()
        run = self.runs.get(request.run_id)
        if run is None:
            raise NotFound
        abandoned = run.message.state in LEASED_STATES and time.monotonic() > run.until
        if run.message.state != QUEUED and not abandoned:
            raise Stale(code="run-taken")
        run.fence += 1
        run.until = time.monotonic() + self.lease_s
        self._change(run, state=RUNNING, attempts=run.message.attempts + 1)
        model = page_pb2.Model(
            version="hebrew_base-1",
            kind=page_pb2.MODEL_KIND_BASE,
            sha256=hashlib.sha256(self.parent).digest(),
            size_bytes=len(self.parent),
        )
        return training_pb2.ClaimTrainingRunResponse(
            run=run.message,
            fence=run.fence,
            user_id=str(run.user_id),
            parent=model,
            base=model,
            lease_seconds=self.lease_s,
        )

    async def ReportTrainingProgress(
        self, request: Any, context: Any
    ) -> training_pb2.ReportTrainingProgressResponse:
        """Renew the lease under the fence."""
        self._check_available()
        run = self._leased(request)
        run.until = time.monotonic() + self.lease_s
        if request.HasField("loss"):
            run.epochs.append(request.epoch)
        self._change(run, state=request.state, epoch=request.epoch, epochs=request.epochs)
        return training_pb2.ReportTrainingProgressResponse(
            cancel_requested=run.message.cancel_requested, yield_requested=self.yield_requested
        )

    async def CancelTrainingRun(self, request: Any, context: Any) -> training_pb2.CancelTrainingRunResponse:
        """Cancel a run: a queued one ends, a claimed one is asked to end."""
        run = self._own(request.run_id)
        if run.message.state in ENDED:
            raise Precondition(code="run-ended")
        self.cancel(request.run_id)
        return training_pb2.CancelTrainingRunResponse(run=run.message)

    def cancel(self, run_id: str) -> None:
        """Cancel a run: a queued one ends, a claimed one is asked to end."""
        run = self.runs[run_id]
        state = CANCELLED if run.message.state == QUEUED else run.message.state
        self._change(run, cancel_requested=True, state=state)

    async def EndTrainingRun(self, request: Any, context: Any) -> training_pb2.EndTrainingRunResponse:
        """End an attempt under the fence."""
        self._check_available()
        run = self._leased(request)
        self._change(run, state=request.state, verdict=request.verdict)
        return training_pb2.EndTrainingRunResponse(run=run.message)

    async def ExportGroundTruth(
        self, request: Any, context: Any
    ) -> AsyncIterator[ground_truth_pb2.ExportGroundTruthResponse]:
        """Stream one drawn page, its first lines held out; `misread` falsifies lines that train."""
        self._check_available()
        self._leased(request)
        image = draw_page(self.texts)
        lines = [
            ground_truth_pb2.GroundTruthLine(
                line=page_pb2.Line(
                    line_id=str(uuid4()),
                    baseline=[page_pb2.Point(x=x, y=y) for x, y in place_of(row, self.texts)[0]],
                    boundary=[page_pb2.Point(x=x, y=y) for x, y in place_of(row, self.texts)[1]],
                ),
                text=self.misread.get(text, text) if row >= self.holdout else text,
                split=ground_truth_pb2.SPLIT_HOLDOUT if row < self.holdout else ground_truth_pb2.SPLIT_TRAIN,
            )
            for row, text in enumerate(self.texts)
        ]
        described = page_pb2.Image(sha256=hashlib.sha256(image).digest(), size_bytes=len(image))
        page = ground_truth_pb2.GroundTruthPage(page_id=str(uuid4()), image=described, lines=lines)
        yield ground_truth_pb2.ExportGroundTruthResponse(page=page)
        for start in range(0, len(image), 1000):
            yield ground_truth_pb2.ExportGroundTruthResponse(chunk=image[start : start + 1000])

    async def SweepTrainingRuns(self, request: Any, context: Any) -> training_pb2.SweepTrainingRunsResponse:
        """Return abandoned runs to the queue and list the queued ones."""
        self._check_available()
        for run in self.runs.values():
            if run.message.state in LEASED_STATES and time.monotonic() > run.until:
                self._change(run, state=QUEUED)
        waiting = [run_id for run_id, run in self.runs.items() if run.message.state == QUEUED]
        return training_pb2.SweepTrainingRunsResponse(run_ids=waiting)

    async def DownloadModel(
        self, request: Any, context: Any
    ) -> AsyncIterator[models_pb2.DownloadModelResponse]:
        """Stream a file by its digest."""
        self._check_available()
        if request.sha256 not in self.files:
            raise NotFound
        self.downloads += 1
        content = self.files[request.sha256]
        for start in range(0, len(content), 1000):
            yield models_pb2.DownloadModelResponse(chunk=content[start : start + 1000])

    async def CheckModels(self, request: Any, context: Any) -> models_pb2.CheckModelsResponse:
        """Return the digests of known files."""
        self._check_available()
        return models_pb2.CheckModelsResponse(
            sha256=[digest for digest in request.sha256 if digest in self.files]
        )

    async def PublishModel(
        self, request_iterator: AsyncIterator[Any], context: Any
    ) -> models_pb2.PublishModelResponse:
        """Store a model under the fence and end its run; a repeated call gets the first answer."""
        self._check_available()
        header, content = (await anext(aiter(request_iterator))).header, b""
        async for message in request_iterator:
            content += message.chunk
        if header in self.published:
            return models_pb2.PublishModelResponse()
        run = self._leased(header)
        if run.message.cancel_requested:
            self._change(run, state=CANCELLED)
            raise Stale(code="run-cancelled")
        assert hashlib.sha256(content).digest() == header.sha256
        self.files[header.sha256] = content
        self.published.append(header)
        self._change(run, state=SUCCEEDED if header.promote else REJECTED, verdict=header.verdict)
        return models_pb2.PublishModelResponse()

    async def GetUserModel(self, request: Any, context: Any) -> models_pb2.GetUserModelResponse:
        """Not part of what the trainer and the recognizer call."""
        raise NotFound

    async def ListModels(self, request: Any, context: Any) -> models_pb2.ListModelsResponse:
        """Not part of what the trainer and the recognizer call."""
        return models_pb2.ListModelsResponse()

    async def GetModel(self, request: Any, context: Any) -> models_pb2.GetModelResponse:
        """Not part of what the trainer and the recognizer call."""
        raise NotFound

    async def ActivateModel(self, request: Any, context: Any) -> models_pb2.ActivateModelResponse:
        """Not part of what the trainer and the recognizer call."""
        raise NotFound

    def _check_available(self) -> None:
        """Raise Unavailable while the test says so."""
        if self.unavailable:
            raise Unavailable

    def _leased(self, request: Any) -> Run:
        """Return the run of a request whose fence is the present one; raises Stale otherwise."""
        run = self.runs[request.run_id]
        if run.message.state in ENDED:
            raise Stale(code="run-ended")
        if run.fence != request.fence or run.message.state not in LEASED_STATES:
            raise Stale(code="stale-fence")
        return run

    def _own(self, run_id: str) -> Run:
        """Return a run of the calling user; raises NotFound for any other."""
        run = self.runs.get(run_id)
        if run is None or run.user_id != current_identity().user_id:
            raise NotFound
        return run

    GetReadiness = GetTrainingPolicy = SetTrainingPolicy = None  # type: ignore[assignment]
    ImportGroundTruth = ListModelProgress = ListTrainingRuns = None  # type: ignore[assignment]

    def _change(self, run: Run, **fields: Any) -> None:
        """Change a run and wake the tests that wait for it."""
        run.change(**fields)
        self.changed.set()


@asynccontextmanager
async def served(registry: RegistryDouble, address: str, signer: Signer) -> AsyncIterator[None]:
    """Serve both services at an address while in the context."""

    def add(server: grpc.aio.Server) -> None:
        """Register both services."""
        training_pb2_grpc.add_TrainingServiceServicer_to_server(registry, server)
        ground_truth_pb2_grpc.add_GroundTruthServiceServicer_to_server(registry, server)
        models_pb2_grpc.add_ModelServiceServicer_to_server(registry, server)

    server = rpc.build_server(add, bind=address, signer=signer, service="registry")
    await server.grpc.start()
    try:
        yield
    finally:
        await server.grpc.stop(0)
