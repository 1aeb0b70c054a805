"""The trainer's RPCs: decode, one use case, encode."""

from collections.abc import AsyncIterator
from typing import Any

import grpc

from ketav.registry.v1 import training_pb2
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common.context import current_user
from ketav_trainer import usecases


class TrainerServicer(trainer_pb2_grpc.TrainerServiceServicer):
    """Serves ketav.trainer.v1.TrainerService."""

    def __init__(self, dependencies: usecases.Dependencies) -> None:
        """Take what the use cases need."""
        self._dependencies = dependencies

    async def StartTraining(
        self, request: trainer_pb2.StartTrainingRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> trainer_pb2.StartTrainingResponse:
        """Start a run of the caller."""
        hand = request.hand if request.HasField("hand") else None
        new = training_pb2.CreateTrainingRunRequest(
            request_id=request.request_id, request_sha256=request.request_sha256, hand=hand
        )
        run = await usecases.start_training(current_user(), new, dependencies=self._dependencies)
        return trainer_pb2.StartTrainingResponse(run=run)

    async def WatchTraining(
        self, request: trainer_pb2.WatchTrainingRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[trainer_pb2.WatchTrainingResponse]:
        """Follow a run of the caller."""
        runs = usecases.watch_training(
            current_user(), request.run_id, request.after_revision, dependencies=self._dependencies
        )
        async for run in runs:
            yield trainer_pb2.WatchTrainingResponse(run=run)
