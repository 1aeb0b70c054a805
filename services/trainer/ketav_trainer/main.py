"""Starts the trainer's server: `python -m ketav_trainer.main`. The only module that builds its objects.

The trainer is two programs: this server, which answers calls and sends webhooks, and the worker
(`python -m ketav_trainer.worker --beat`), which trains. With several workers, one with `--beat` is enough.
"""

import asyncio
from functools import partial

from ketav.registry.v1 import training_pb2, training_pb2_grpc
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common import rpc
from ketav_common.logging import configure
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing_export import exporting_spans
from ketav_trainer.broker import readiness
from ketav_trainer.celery_app import RunQueue, make_app
from ketav_trainer.registry import RegistryClient
from ketav_trainer.servicer import TrainerServicer
from ketav_trainer.settings import TrainerSettings
from ketav_trainer.usecases import Dependencies
from ketav_trainer.webhooks import WebhookSender, deliver_on_schedule

SERVICE = trainer_pb2.DESCRIPTOR.services_by_name["TrainerService"].full_name
"""Full name of the service, for reflection."""
RUNS = training_pb2.DESCRIPTOR.services_by_name["TrainingService"]
"""The registry's service that is called."""


async def serve(settings: TrainerSettings) -> None:
    """Serve until SIGTERM."""
    signer = settings.signer()
    queue = RunQueue(make_app(settings.redis_url.get_secret_value()))
    async with rpc.channel(settings.registry_address, signer, services=[RUNS]) as channel:
        stopping = asyncio.Event()
        runs = training_pb2_grpc.TrainingServiceStub(channel)
        servicer = TrainerServicer(Dependencies(runs, queue, stopping))
        sender = WebhookSender(allow_private=settings.webhook_private)
        delivering = asyncio.create_task(
            deliver_on_schedule(
                registry=RegistryClient(channel), sender=sender, interval_s=settings.webhook_seconds
            )
        )
        try:
            await rpc.serve(
                lambda server: trainer_pb2_grpc.add_TrainerServiceServicer_to_server(servicer, server),
                bind=settings.bind,
                signer=signer,
                service="trainer",
                names=[SERVICE],
                drain_seconds=settings.drain_seconds,
                on_stop=stopping.set,
                ready=partial(readiness, settings.redis_url.get_secret_value()),
            )
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)


def main() -> None:
    """Run the trainer's server and its metrics endpoint until SIGTERM.

    The settings come from KETAV_… variables; a wrong one ends the process.
    """
    settings = load(TrainerSettings)
    configure("trainer", settings.log_level)
    with (
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("trainer", settings.otlp_endpoint),
    ):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
