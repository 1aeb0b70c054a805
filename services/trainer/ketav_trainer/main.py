"""Starts the trainer's front: `python -m ketav_trainer.main`. The only module that builds its objects.

The trainer is two programs: this front, which answers calls, and `python -m ketav_trainer.worker --beat`,
which trains. With several workers, `--beat` on each is harmless; on one it is enough.
"""

import asyncio

from ketav.registry.v1 import training_pb2, training_pb2_grpc
from ketav.trainer.v1 import trainer_pb2, trainer_pb2_grpc
from ketav_common import rpc
from ketav_common.logging import configure
from ketav_common.telemetry import metrics_server
from ketav_trainer.celery_app import Bell, make_app
from ketav_trainer.registry import Registry
from ketav_trainer.servicer import TrainerServicer
from ketav_trainer.settings import TrainerSettings
from ketav_trainer.webhooks import Sender, keep_delivering

SERVICE = trainer_pb2.DESCRIPTOR.services_by_name["TrainerService"].full_name
"""Full name of the service, for reflection."""
RUNS = training_pb2.DESCRIPTOR.services_by_name["TrainingService"]
"""The registry's service that is called."""


async def serve(settings: TrainerSettings) -> None:
    """Serve until SIGTERM."""
    signer = settings.signer()
    bell = Bell(make_app(settings.redis_url))
    async with rpc.channel(settings.registry_address, signer, services=[RUNS]) as channel:
        stopping = asyncio.Event()
        servicer = TrainerServicer(training_pb2_grpc.TrainingServiceStub(channel), bell, stopping)
        sender = Sender(private=settings.webhook_private)
        delivering = asyncio.create_task(
            keep_delivering(registry=Registry(channel), sender=sender, every_s=settings.webhook_seconds)
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
            )
        finally:
            delivering.cancel()
            await asyncio.gather(delivering, return_exceptions=True)


def main() -> None:
    """Run the trainer's front with settings from the environment."""
    settings = TrainerSettings()
    configure("trainer", settings.log_level)
    with metrics_server(settings.metrics_host, settings.metrics_port):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
