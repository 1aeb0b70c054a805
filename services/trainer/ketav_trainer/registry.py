"""The trainer's calls to the registry: each with a deadline, the trainer's identity and the run's fence."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import grpc

from ketav.registry.v1 import (
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    webhooks_pb2,
    webhooks_pb2_grpc,
)
from ketav_common import context, rpc
from ketav_common.identity import Identity, Work
from ketav_common.lease import WorkerStoppingError
from ketav_trainer import convert
from ketav_trainer.domain import Candidate, Claim, ModelRef, Progress, State

_CALL_S: Final = 5.0
"""Deadline of a short call in seconds."""
_SWEEP_S: Final = 10.0
"""Deadline of a sweep in seconds: it reads the runs of all users."""
_STREAM_S: Final = 120.0
"""Deadline of a stream in seconds: a dataset of 500 MB takes 40 s at 100 Mbit/s."""


_TRAINER: Final = Identity("trainer")


class RegistryClient:
    """A client of the registry; its methods raise KetavErrors. Stale means that the lease is lost."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        """Take an open channel to the registry."""
        self._runs = training_pb2_grpc.TrainingServiceStub(channel)
        self._ground_truth = ground_truth_pb2_grpc.GroundTruthServiceStub(channel)
        self._models = models_pb2_grpc.ModelServiceStub(channel)
        self._webhooks = webhooks_pb2_grpc.WebhookServiceStub(channel)

    async def claim(self, run_id: str, worker: str) -> Claim:
        """Claim a queued run."""
        request = training_pb2.ClaimTrainingRunRequest(run_id=run_id, worker=worker)
        with as_trainer():
            return convert.to_claim(await self._runs.ClaimTrainingRun(request, timeout=_CALL_S))

    async def report(self, claim: Claim, progress: Progress) -> bool:
        """Renew the lease and record progress; return whether the user has cancelled the run.

        Raises WorkerStoppingError when the run must go back to the queue, because an interrupted one waits.
        """
        with as_trainer(_bound_to(claim)):
            response = await self._runs.ReportTrainingProgress(
                convert.from_progress(claim, progress), timeout=_CALL_S
            )
        if response.yield_requested and not response.cancel_requested:
            raise WorkerStoppingError("a run that was interrupted waits for a worker")
        return bool(response.cancel_requested)

    async def end(self, claim: Claim, state: State, verdict: str) -> None:
        """End the run without a model, or return it to the queue."""
        with as_trainer(_bound_to(claim)):
            await self._runs.EndTrainingRun(convert.from_end(claim, state, verdict), timeout=_CALL_S)

    async def ground_truth(self, claim: Claim) -> AsyncIterator[ground_truth_pb2.ExportGroundTruthResponse]:
        """Stream the run's frozen ground truth."""
        request = ground_truth_pb2.ExportGroundTruthRequest(run_id=claim.run_id, fence=claim.fence)
        with as_trainer(_bound_to(claim)):
            call = self._ground_truth.ExportGroundTruth(request, timeout=_STREAM_S)
        with rpc.raise_ketav_errors():
            async for message in call:
                yield message

    async def model(self, claim: Claim, model: ModelRef) -> AsyncIterator[bytes]:
        """Stream a model's file."""
        request = models_pb2.DownloadModelRequest(sha256=bytes.fromhex(model.sha256))
        with as_trainer(_bound_to(claim)):
            call = self._models.DownloadModel(request, timeout=_STREAM_S)
        with rpc.raise_ketav_errors():
            async for message in call:
                yield message.chunk

    async def publish(self, claim: Claim, candidate: Candidate) -> None:
        """Store the candidate with its verdict; the registry promotes or rejects it and ends the run."""
        with as_trainer(_bound_to(claim)):
            await self._models.PublishModel(convert.from_candidate(claim, candidate), timeout=_STREAM_S)

    async def sweep(self) -> list[str]:
        """Queue abandoned and due runs; return the ids of all queued runs."""
        with as_trainer():
            response = await self._runs.SweepTrainingRuns(
                training_pb2.SweepTrainingRunsRequest(), timeout=_SWEEP_S
            )
        return list(response.run_ids)

    async def claim_deliveries(self, limit: int) -> list[webhooks_pb2.ClaimedDelivery]:
        """Claim webhook deliveries that are due."""
        request = webhooks_pb2.ClaimDeliveriesRequest(limit=limit)
        with as_trainer():
            response = await self._webhooks.ClaimDeliveries(request, timeout=_CALL_S)
        return list(response.deliveries)

    async def report_delivery(
        self, delivery: webhooks_pb2.ClaimedDelivery, error: str, *, receiver_gone: bool
    ) -> None:
        """Report the outcome of an attempt to deliver; an empty error means that it was accepted."""
        request = webhooks_pb2.ReportDeliveryRequest(
            delivery_id=delivery.delivery_id, attempt=delivery.attempt, error=error, gone=receiver_gone
        )
        with as_trainer():
            await self._webhooks.ReportDelivery(request, timeout=_CALL_S)


@contextmanager
def as_trainer(identity: Identity = _TRAINER) -> Iterator[None]:
    """Call with an identity of the trainer; raises the call's errors as KetavErrors."""
    with context.bind(identity=identity, request_id=context.request_id()), rpc.raise_ketav_errors():
        yield


def _bound_to(claim: Claim) -> Identity:
    """Return the identity of calls about a claimed run."""
    return Identity("trainer", claim.user_id, Work(UUID(claim.run_id), claim.fence))
