"""The trainer's RPCs: decode, one use case, encode."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from ketav.registry.v1 import training_pb2_grpc
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_trainer import usecases


class TrainerServicer(trainer_pb2_grpc.TrainerServiceServicer):
    """Serves ketav.trainer.v1.TrainerService."""

    def __init__(
        self,
        runs: "training_pb2_grpc.TrainingServiceAsyncStub",
        bell: usecases.Rings,
        stopping: asyncio.Event,
    ) -> None:
        """Take the registry's training runs, the bell of the queue, and what says that the server stops."""
        self._runs = runs
        self._bell = bell
        self._stopping = stopping

    async def StartTraining(
        self, request: trainer_pb2.StartTrainingRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> trainer_pb2.StartTrainingResponse:
        """Queue a run of the caller."""
        run = await usecases.start_training(request.request_id, runs=self._runs, bell=self._bell)
        return trainer_pb2.StartTrainingResponse(run=run)

    async def WatchTraining(
        self, request: trainer_pb2.WatchTrainingRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[trainer_pb2.WatchTrainingResponse]:
        """Follow a run of the caller."""
        watched = (request.run_id, request.after_revision)
        async for run in usecases.watch_training(*watched, runs=self._runs, stopping=self._stopping):
            yield trainer_pb2.WatchTrainingResponse(run=run)
