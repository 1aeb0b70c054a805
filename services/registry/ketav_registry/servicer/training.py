"""TrainingService."""

from datetime import timedelta

from ketav.registry.v1 import training_pb2 as pb
from ketav.registry.v1 import training_pb2_grpc
from ketav_common.context import current_user, require_role, require_work
from ketav_common.identity import Work
from ketav_registry.convert import common
from ketav_registry.convert import training as convert
from ketav_registry.convert import training_policy as convert_policy
from ketav_registry.convert import training_readiness as convert_readiness
from ketav_registry.domain.corrections import UntrainedLine
from ketav_registry.domain.training import FencedRun
from ketav_registry.stores import Stores
from ketav_registry.usecases import (
    training,
    training_cancellation,
    training_list,
    training_policy,
    training_readiness,
    training_sweep,
    training_untrained,
)
from ketav_registry.usecases.training import NewRun


class TrainingServicer(training_pb2_grpc.TrainingServiceServicer):
    """Training runs, their policy, and the readiness for the next one."""

    def __init__(self, stores: Stores, lease: timedelta) -> None:
        """Work with these stores; a claim or a report starts a lease of this length."""
        self._stores = stores
        self._lease = lease

    async def CreateTrainingRun(
        self, request: pb.CreateTrainingRunRequest, context: object
    ) -> pb.CreateTrainingRunResponse:
        """Queue a run of the caller."""
        key = common.request_key(request.request_id, request.request_sha256)
        new = NewRun(key, request.hand if request.HasField("hand") else None)
        run = await training.create_training_run(current_user("trainer"), new, stores=self._stores)
        return pb.CreateTrainingRunResponse(run=convert.run_message(run))

    async def ListTrainingRuns(
        self, request: pb.ListTrainingRunsRequest, context: object
    ) -> pb.ListTrainingRunsResponse:
        """List the caller's runs."""
        after = common.id_position(request.cursor, "runs")
        limit = common.limit(request.limit, default=20, maximum=100)
        part = await training_list.list_training_runs(current_user(), after, limit, stores=self._stores)
        return pb.ListTrainingRunsResponse(
            runs=[convert.run_message(run) for run in part.runs],
            next_cursor=common.cursor(part.next_position, "runs"),
        )

    async def GetTrainingRun(
        self, request: pb.GetTrainingRunRequest, context: object
    ) -> pb.GetTrainingRunResponse:
        """Return a run of the caller, on request with the lines that it leaves out."""
        user_id, run_id = current_user("trainer"), common.uuid(request.run_id, "run_id")
        run = await training.get_training_run(user_id, run_id, stores=self._stores)
        untrained: list[UntrainedLine] = []
        if request.untrained:
            untrained = await training_untrained.list_untrained(user_id, run, stores=self._stores)
        return pb.GetTrainingRunResponse(run=convert.run_message(run, untrained))

    async def CancelTrainingRun(
        self, request: pb.CancelTrainingRunRequest, context: object
    ) -> pb.CancelTrainingRunResponse:
        """Cancel a run of the caller."""
        run_id = common.uuid(request.run_id, "run_id")
        key = common.request_key(request.request_id, request.request_sha256)
        user_id = current_user()
        run = await training_cancellation.cancel_training_run(user_id, run_id, key, stores=self._stores)
        return pb.CancelTrainingRunResponse(run=convert.run_message(run))

    async def ClaimTrainingRun(
        self, request: pb.ClaimTrainingRunRequest, context: object
    ) -> pb.ClaimTrainingRunResponse:
        """Claim a queued or abandoned run."""
        require_role("trainer")
        run_id = common.uuid(request.run_id, "run_id")
        claim = await training.claim_training_run(
            run_id, request.worker, lease=self._lease, stores=self._stores
        )
        return convert.claim_message(claim)

    async def ReportTrainingProgress(
        self, request: pb.ReportTrainingProgressRequest, context: object
    ) -> pb.ReportTrainingProgressResponse:
        """Renew the lease and store progress."""
        require_role("trainer")
        claimed = FencedRun(common.uuid(request.run_id, "run_id"), request.fence)
        require_work(Work(claimed.run_id, claimed.fence))
        progress = convert.progress(request)
        requests = await training.report_training_progress(
            claimed, progress, lease=self._lease, stores=self._stores
        )
        return pb.ReportTrainingProgressResponse(
            cancel_requested=requests.cancel, yield_requested=requests.return_to_queue
        )

    async def EndTrainingRun(
        self, request: pb.EndTrainingRunRequest, context: object
    ) -> pb.EndTrainingRunResponse:
        """End a run without a model, or return it to the queue."""
        require_role("trainer")
        claimed = FencedRun(common.uuid(request.run_id, "run_id"), request.fence)
        require_work(Work(claimed.run_id, claimed.fence))
        state = convert.run_state(request.state)
        run = await training.end_training_run(claimed, state, request.verdict, stores=self._stores)
        return pb.EndTrainingRunResponse(run=convert.run_message(run))

    async def SweepTrainingRuns(
        self, request: pb.SweepTrainingRunsRequest, context: object
    ) -> pb.SweepTrainingRunsResponse:
        """Return abandoned runs to the queue, queue runs of users who are due, and list all queued runs."""
        require_role("trainer")
        run_ids = await training_sweep.sweep_training_runs(stores=self._stores)
        return pb.SweepTrainingRunsResponse(run_ids=[str(run_id) for run_id in run_ids])

    async def GetReadiness(self, request: pb.GetReadinessRequest, context: object) -> pb.GetReadinessResponse:
        """Return when the caller's next runs are due."""
        hands = common.hand_filter(request.script, request.hand if request.HasField("hand") else None)
        readiness = await training_readiness.get_readiness(current_user(), hands, stores=self._stores)
        return convert_readiness.readiness_message(readiness)

    async def GetTrainingPolicy(
        self, request: pb.GetTrainingPolicyRequest, context: object
    ) -> pb.GetTrainingPolicyResponse:
        """Return the caller's policy."""
        policy = await training_policy.get_training_policy(current_user(), stores=self._stores)
        return pb.GetTrainingPolicyResponse(policy=convert_policy.policy_message(policy))

    async def SetTrainingPolicy(
        self, request: pb.SetTrainingPolicyRequest, context: object
    ) -> pb.SetTrainingPolicyResponse:
        """Replace the caller's policy."""
        policy = convert_policy.policy(request.policy)
        stored = await training_policy.set_training_policy(current_user(), policy, stores=self._stores)
        return pb.SetTrainingPolicyResponse(policy=convert_policy.policy_message(stored))
