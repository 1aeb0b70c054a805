"""TrainingRunService."""

from collections.abc import AsyncIterator
from datetime import timedelta

from ketav.registry.v1 import training_pb2 as pb
from ketav.registry.v1 import training_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.blobs import BlobStore
from ketav_registry.convert import common
from ketav_registry.convert import training as convert
from ketav_registry.database import Database
from ketav_registry.usecases import training


class TrainingRunServicer(training_pb2_grpc.TrainingRunServiceServicer):
    """Training runs: the truth about them."""

    def __init__(self, database: Database, blobs: BlobStore, lease: timedelta) -> None:
        """Take what the use cases need."""
        self._database = database
        self._blobs = blobs
        self._lease = lease

    async def CreateTrainingRun(
        self, request: pb.CreateTrainingRunRequest, context: object
    ) -> pb.CreateTrainingRunResponse:
        """Queue a run of the caller."""
        request_id = common.request(request.request_id).request_id
        run = await training.create_training_run(current_user(), request_id, database=self._database)
        return pb.CreateTrainingRunResponse(run=convert.run(run))

    async def GetTrainingRun(
        self, request: pb.GetTrainingRunRequest, context: object
    ) -> pb.GetTrainingRunResponse:
        """Return a run of the caller."""
        run_id = common.uuid(request.run_id, "training run")
        run = await training.get_training_run(current_user(), run_id, database=self._database)
        return pb.GetTrainingRunResponse(run=convert.run(run))

    async def CancelTrainingRun(
        self, request: pb.CancelTrainingRunRequest, context: object
    ) -> pb.CancelTrainingRunResponse:
        """Ask for the end of a run of the caller."""
        run_id = common.uuid(request.run_id, "training run")
        run = await training.cancel_training_run(current_user(), run_id, database=self._database)
        return pb.CancelTrainingRunResponse(run=convert.run(run))

    async def ClaimTrainingRun(
        self, request: pb.ClaimTrainingRunRequest, context: object
    ) -> pb.ClaimTrainingRunResponse:
        """Take a queued or abandoned run."""
        require_role("trainer")
        run_id = common.uuid(request.run_id, "training run")
        return convert.lease(
            await training.claim_training_run(
                run_id, request.worker, lease=self._lease, database=self._database
            )
        )

    async def ReportProgress(
        self, request: pb.ReportProgressRequest, context: object
    ) -> pb.ReportProgressResponse:
        """Renew the lease and note progress."""
        require_role("trainer")
        run_id, progress = common.uuid(request.run_id, "training run"), convert.progress(request)
        asked = await training.report_progress(
            run_id, request.fence, progress, lease=self._lease, database=self._database
        )
        return pb.ReportProgressResponse(cancel_requested=asked)

    async def EndTrainingRun(
        self, request: pb.EndTrainingRunRequest, context: object
    ) -> pb.EndTrainingRunResponse:
        """End a held run without a model, or give it back."""
        require_role("trainer")
        held = (common.uuid(request.run_id, "training run"), request.fence)
        state = convert.state(request.state)
        run = await training.end_training_run(*held, state, request.verdict, database=self._database)
        return pb.EndTrainingRunResponse(run=convert.run(run))

    async def ExportGroundTruth(
        self, request: pb.ExportGroundTruthRequest, context: object
    ) -> AsyncIterator[pb.ExportGroundTruthResponse]:
        """Stream the frozen ground truth of a held run."""
        require_role("trainer")
        run_id, fence = common.uuid(request.run_id, "training run"), request.fence
        parts = training.export_ground_truth(run_id, fence, database=self._database, blobs=self._blobs)
        async for part in parts:
            yield convert.ground_truth_part(part)

    async def SweepTrainingRuns(
        self, request: pb.SweepTrainingRunsRequest, context: object
    ) -> pb.SweepTrainingRunsResponse:
        """Requeue what was abandoned, queue who is due, list what waits."""
        require_role("trainer")
        queued = await training.sweep_training_runs(database=self._database)
        return pb.SweepTrainingRunsResponse(run_ids=[str(run_id) for run_id in queued])
