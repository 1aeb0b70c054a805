"""Training runs, policy and readiness in memory."""

from typing import Any
from uuid import uuid4

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import training_pb2, training_pb2_grpc
from ketav_common.errors import InvalidInput, NotFound, Precondition
from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from tests.parts.in_memory.state import TIME, State, User, list_part

QUEUED = training_pb2.TRAINING_RUN_STATE_QUEUED
CANCELLED = training_pb2.TRAINING_RUN_STATE_CANCELLED
ACTIVE = {
    QUEUED,
    training_pb2.TRAINING_RUN_STATE_RUNNING,
    training_pb2.TRAINING_RUN_STATE_EVALUATING,
}
_MIN_LINES = 16


def add_run(user: User, **fields: Any) -> training_pb2.TrainingRun:
    """Add a run, queued unless the fields say otherwise."""
    defaults: dict[str, Any] = {
        "run_id": str(uuid4()),
        "state": QUEUED,
        "script": page_pb2.SCRIPT_MODERN_CURSIVE,
        "revision": 1,
        "training_lines": 16,
        "holdout_lines": 4,
        "create_time": TIME,
        "update_time": TIME,
    }
    run = training_pb2.TrainingRun(**(defaults | fields))
    user.runs[run.run_id] = run
    return run


def active_run(user: User) -> training_pb2.TrainingRun | None:
    """Return the run that has not ended."""
    return next((run for run in user.runs.values() if run.state in ACTIVE), None)


def required_run(user: User, run_id: str) -> training_pb2.TrainingRun:
    """Return a run; raises NotFound."""
    if run_id not in user.runs:
        raise NotFound("This account has no training run with this id. Start one with POST /train/.")
    return user.runs[run_id]


class Training(training_pb2_grpc.TrainingServiceServicer):
    """Shows and cancels runs. The gateway calls no other method of a run."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    CreateTrainingRun = ClaimTrainingRun = ReportTrainingProgress = None  # type: ignore[assignment]
    EndTrainingRun = SweepTrainingRuns = None  # type: ignore[assignment]

    async def ListTrainingRuns(self, request: Any, context: Any) -> Any:
        """List the caller's runs, newest first."""
        self.state.enter("ListTrainingRuns", request)
        runs = list(reversed(self.state.caller().runs.values()))
        part, cursor = list_part(runs, request.cursor, request.limit or 20)
        return training_pb2.ListTrainingRunsResponse(runs=part, next_cursor=cursor)

    async def GetTrainingRun(self, request: Any, context: Any) -> Any:
        """Return a run of the caller."""
        self.state.enter("GetTrainingRun", request)
        return training_pb2.GetTrainingRunResponse(run=required_run(self.state.caller(), request.run_id))

    async def CancelTrainingRun(self, request: Any, context: Any) -> Any:
        """End a queued run; mark a running one."""
        self.state.enter("CancelTrainingRun", request)
        user = self.state.caller()
        run = required_run(user, request.run_id)
        if user.repeated("done", request.request_id, request.request_sha256):
            return training_pb2.CancelTrainingRunResponse(run=run)
        if run.state not in ACTIVE:
            raise Precondition("The training run has ended. It cannot be cancelled.", code="run-ended")
        run.cancel_requested = True
        run.revision += 1
        if run.state == QUEUED:
            run.state = CANCELLED
            run.verdict = "You have cancelled the run."
        user.remember("done", request.request_id, request.request_sha256, run)
        return training_pb2.CancelTrainingRunResponse(run=run)

    async def GetReadiness(self, request: Any, context: Any) -> Any:
        """Return the readiness of one script, or of all scripts with lines."""
        self.state.enter("GetReadiness", request)
        user = self.state.caller()
        user.require_hand(request.hand)
        scripts = [request.script] if request.script else _scripts(user) or [page_pb2.SCRIPT_MODERN_CURSIVE]
        run = active_run(user)
        return training_pb2.GetReadinessResponse(
            scripts=[_readiness(user, script, request.hand) for script in scripts],
            policy=user.policy,
            policy_text="A run is queued at 16 verified lines.",
            active_run_id=run.run_id if run else "",
        )

    async def GetTrainingPolicy(self, request: Any, context: Any) -> Any:
        """Return the caller's policy."""
        self.state.enter("GetTrainingPolicy", request)
        return training_pb2.GetTrainingPolicyResponse(policy=self.state.caller().policy)

    async def SetTrainingPolicy(self, request: Any, context: Any) -> Any:
        """Replace the caller's policy."""
        self.state.enter("SetTrainingPolicy", request)
        if not 0 <= request.policy.minimum_gap_seconds <= MAX_TRAINING_GAP_SECONDS:
            raise InvalidInput("The minimum gap is out of range. Send 0 to 604,800.", code="invalid-gap")
        self.state.caller().policy = request.policy
        return training_pb2.SetTrainingPolicyResponse(policy=request.policy)


def _scripts(user: User) -> list[page_pb2.Script.ValueType]:
    """Return the scripts with verified lines."""
    projects = {stored.message.project_id for stored in user.pages.values() if _verified(stored.lines())}
    return sorted({user.projects[project_id].script for project_id in projects})


def _verified(lines: list[page_pb2.Line]) -> int:
    """Return the number of corrected lines that are not quarantined."""
    return sum(line.HasField("verified_text") for line in lines)


def _readiness(user: User, script: page_pb2.Script.ValueType, hand: str) -> training_pb2.Readiness:
    """Return the readiness of a hand for its first run; the lines are those of all hands."""
    pages = [
        stored for stored in user.pages.values() if user.projects[stored.message.project_id].script == script
    ]
    verified = sum(_verified(stored.lines()) for stored in pages)
    missing = max(0, _MIN_LINES - verified)
    return training_pb2.Readiness(
        script=script,
        hand=hand,
        verified_lines=verified,
        quarantined_lines=sum(line.HasField("quarantine") for stored in pages for line in stored.lines()),
        next_run_lines=_MIN_LINES,
        missing_lines=missing,
        wait_reason=training_pb2.WAIT_REASON_TOO_FEW_LINES
        if missing
        else training_pb2.WAIT_REASON_UNSPECIFIED,
        reason=f"The next run waits for {missing} more verified lines.",
        expected_gain=training_pb2.ExpectedGain(
            relative_gain=0.25,
            basis=training_pb2.GAIN_BASIS_PUBLISHED_CURVE,
            source="An estimate from a published curve.",
        ),
    )
