"""TrainingService."""

from datetime import timedelta

from ketav.registry.v1 import training_pb2 as pb
from ketav.registry.v1 import training_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.convert import common
from ketav_registry.convert import training as convert_training
from ketav_registry.convert import training_policy as convert_training_policy
from ketav_registry.convert import training_readiness as convert_training_readiness
from ketav_registry.database import Database
from ketav_registry.usecases import training, training_policy, training_readiness


class TrainingServicer(training_pb2_grpc.TrainingServiceServicer):
    """Training runs, readiness and the policy of automatic runs."""

    def __init__(self, database: Database, lease: timedelta) -> None:
        """Take the database and the length of a lease."""
        self._database = database
        self._lease = lease

    async def CreateTrainingRun(
        self, request: pb.CreateTrainingRunRequest, context: object
    ) -> pb.CreateTrainingRunResponse:
        """Queue a run of the caller."""
        request_id = common.request(request.request_id).request_id
        run = await training.create_training_run(current_user(), request_id, database=self._database)
        return pb.CreateTrainingRunResponse(run=convert_training.run(run))

    async def GetTrainingRun(
        self, request: pb.GetTrainingRunRequest, context: object
    ) -> pb.GetTrainingRunResponse:
        """Return a run of the caller."""
        run_id = common.uuid(request.run_id, "training run")
        run = await training.get_training_run(current_user(), run_id, database=self._database)
        return pb.GetTrainingRunResponse(run=convert_training.run(run))

    async def CancelTrainingRun(
        self, request: pb.CancelTrainingRunRequest, context: object
    ) -> pb.CancelTrainingRunResponse:
        """Ask for the end of a run of the caller."""
        run_id = common.uuid(request.run_id, "training run")
        run = await training.cancel_training_run(current_user(), run_id, database=self._database)
        return pb.CancelTrainingRunResponse(run=convert_training.run(run))

    async def ClaimTrainingRun(
        self, request: pb.ClaimTrainingRunRequest, context: object
    ) -> pb.ClaimTrainingRunResponse:
        """Take a queued or abandoned run."""
        require_role("trainer")
        run_id = common.uuid(request.run_id, "training run")
        return convert_training.lease(
            await training.claim_training_run(
                run_id, request.worker, lease=self._lease, database=self._database
            )
        )

    async def ReportTrainingProgress(
        self, request: pb.ReportTrainingProgressRequest, context: object
    ) -> pb.ReportTrainingProgressResponse:
        """Renew the lease and note progress."""
        require_role("trainer")
        run_id, progress = common.uuid(request.run_id, "training run"), convert_training.progress(request)
        asked = await training.report_progress(
            run_id, request.fence, progress, lease=self._lease, database=self._database
        )
        return pb.ReportTrainingProgressResponse(cancel_requested=asked)

    async def EndTrainingRun(
        self, request: pb.EndTrainingRunRequest, context: object
    ) -> pb.EndTrainingRunResponse:
        """End a held run without a model, or give it back."""
        require_role("trainer")
        held = (common.uuid(request.run_id, "training run"), request.fence)
        state = convert_training.state(request.state)
        run = await training.end_training_run(*held, state, request.verdict, database=self._database)
        return pb.EndTrainingRunResponse(run=convert_training.run(run))

    async def SweepTrainingRuns(
        self, request: pb.SweepTrainingRunsRequest, context: object
    ) -> pb.SweepTrainingRunsResponse:
        """Requeue what was abandoned, queue who is due, list what waits."""
        require_role("trainer")
        queued = await training.sweep_training_runs(database=self._database)
        return pb.SweepTrainingRunsResponse(run_ids=[str(run_id) for run_id in queued])

    async def GetReadiness(self, request: pb.GetReadinessRequest, context: object) -> pb.GetReadinessResponse:
        """Say how near the caller's next runs are."""
        script = common.script(request.script) if request.script else None
        found, calendar = await training_readiness.get_readiness(
            current_user(), script, database=self._database
        )
        return convert_training_readiness.readiness(found, calendar)

    async def GetTrainingPolicy(
        self, request: pb.GetTrainingPolicyRequest, context: object
    ) -> pb.GetTrainingPolicyResponse:
        """Return the caller's policy."""
        found = await training_policy.get_training_policy(current_user(), database=self._database)
        return pb.GetTrainingPolicyResponse(policy=convert_training_policy.policy(found))

    async def SetTrainingPolicy(
        self, request: pb.SetTrainingPolicyRequest, context: object
    ) -> pb.SetTrainingPolicyResponse:
        """Replace the caller's policy."""
        wanted = convert_training_policy.wanted_policy(request.policy)
        kept = await training_policy.set_training_policy(current_user(), wanted, database=self._database)
        return pb.SetTrainingPolicyResponse(policy=convert_training_policy.policy(kept))
