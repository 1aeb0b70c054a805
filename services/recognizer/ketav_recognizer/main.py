"""Starts the recognizer: `python -m ketav_recognizer.main`. The only module that builds its objects."""

import asyncio

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import models_pb2, models_pb2_grpc
from ketav_common import rpc
from ketav_common.logging import configure
from ketav_common.telemetry import metrics_server
from ketav_recognizer.domain import ReaderSpec
from ketav_recognizer.model_cache import ModelCache
from ketav_recognizer.pool import PoolLimits, ReaderPool
from ketav_recognizer.registry import checks, downloads
from ketav_recognizer.servicer import RecognizerServicer
from ketav_recognizer.settings import RecognizerSettings
from ketav_recognizer.usecases import keep_checked

SERVICE = recognizer_pb2.DESCRIPTOR.services_by_name["RecognizerService"].full_name
"""Full name of the service, for reflection."""
MODELS = models_pb2.DESCRIPTOR.services_by_name["ModelService"]
"""The registry's service that is called."""


async def serve(settings: RecognizerSettings) -> None:
    """Serve until SIGTERM; requests that are being read are finished first."""
    signer = settings.signer()
    pool = ReaderPool(
        ReaderSpec(
            settings.engine,
            settings.recognizer_models,
            settings.recognizer_memory_bytes,
            settings.language_model,
        ),
        PoolLimits(settings.recognizer_workers, settings.recognizer_queue, settings.recognizer_page_seconds),
    )
    async with rpc.channel(settings.registry_address, signer, services=[MODELS]) as channel:
        models = models_pb2_grpc.ModelServiceStub(channel)
        cache = ModelCache(
            settings.data_dir / "model_cache",
            settings.model_cache_bytes,
            downloads(models),
        )
        servicer = RecognizerServicer(cache, pool, signer)
        pool.start()
        keeping = asyncio.create_task(keep_checked(cache, checks(models), settings.model_check_seconds))
        try:
            await rpc.serve(
                lambda server: recognizer_pb2_grpc.add_RecognizerServiceServicer_to_server(servicer, server),
                bind=settings.bind,
                signer=signer,
                service="recognizer",
                names=[SERVICE],
                ready=pool.ready,
                drain_seconds=settings.drain_seconds,
            )
        finally:
            keeping.cancel()
            await pool.close()


def main() -> None:
    """Run the recognizer with settings from the environment."""
    settings = RecognizerSettings()
    configure("recognizer", settings.log_level)
    with metrics_server(settings.metrics_host, settings.metrics_port):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
