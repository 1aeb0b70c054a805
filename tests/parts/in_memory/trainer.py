"""A trainer whose runs succeed at their next change."""

from collections.abc import AsyncIterator
from typing import Any

from ketav.registry.v1 import training_pb2
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common.errors import Conflict
from tests.parts.in_memory.state import State
from tests.parts.in_memory.training import active_run, add_run, required_run


class Trainer(trainer_pb2_grpc.TrainerServiceServicer):
    """Queues runs, whatever the number of corrected lines."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def StartTraining(self, request: Any, context: Any) -> Any:
        """Queue a run of the caller; raises Conflict while one is active."""
        self.state.enter("StartTraining", request)
        user = self.state.caller()
        known = user.repeated("StartTraining", request.request_id, request.request_sha256)
        if known is not None:
            return known
        if run := active_run(user):
            raise Conflict(
                "A training run is active. Wait for its end, or cancel it.",
                code="run-active",
                details={"run_id": run.run_id},
            )
        user.require_hand(request.hand)
        started = trainer_pb2.StartTrainingResponse(run=add_run(user, hand=request.hand))
        user.remember("StartTraining", request.request_id, request.request_sha256, started)
        return started

    async def WatchTraining(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Yield the run as it is, then as it has succeeded, each only after the caller's last revision."""
        self.state.enter("WatchTraining", request)
        run = required_run(self.state.caller(), request.run_id)
        if run.revision > request.after_revision:
            yield trainer_pb2.WatchTrainingResponse(run=run)
        ended = training_pb2.TrainingRun()
        ended.CopyFrom(run)
        ended.revision += 1
        ended.state = training_pb2.TRAINING_RUN_STATE_SUCCEEDED
        yield trainer_pb2.WatchTrainingResponse(run=ended)
