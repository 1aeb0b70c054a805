"""Starts the recognizer: `python -m ketav_recognizer.main`. The only module that builds its objects."""

import asyncio

from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav.registry.v1 import models_pb2, models_pb2_grpc
from ketav_common import rpc
from ketav_common.logging import configure
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing_export import exporting_spans
from ketav_engine.budgets import PageBudgets
from ketav_recognizer.celery_app import JobQueue, make_app
from ketav_recognizer.domain import ReaderConfig
from ketav_recognizer.model_cache import ModelCache
from ketav_recognizer.pool import PoolLimits, ReaderPool
from ketav_recognizer.reader_process import ReaderLimits
from ketav_recognizer.registry import model_download, usable_digests
from ketav_recognizer.servicer import RecognizerServicer
from ketav_recognizer.settings import RecognizerSettings
from ketav_recognizer.usecases import Dependencies, drop_unusable_models

SERVICE = recognizer_pb2.DESCRIPTOR.services_by_name["RecognizerService"].full_name
"""Full name of the service, for reflection."""
MODELS = models_pb2.DESCRIPTOR.services_by_name["ModelService"]
"""The registry's service that is called."""


def reader_pool(settings: RecognizerSettings) -> ReaderPool:
    """Return the pool of readers that the settings describe, not started."""
    config = ReaderConfig(
        engine=settings.engine,
        models=settings.recognizer_models,
        memory_bytes=settings.recognizer_memory_bytes,
        language=settings.language_model,
        device=settings.device,
        budgets=PageBudgets(
            lines=settings.page_lines,
            lines_per_megapixel=settings.page_lines_per_megapixel,
            seconds=settings.page_cpu_seconds,
            seconds_per_megapixel=settings.page_cpu_seconds_per_megapixel,
        ),
    )
    limits = PoolLimits(
        readers=settings.recognizer_workers,
        queue=settings.recognizer_queue,
        reader=ReaderLimits(
            page_s=settings.recognizer_page_seconds,
            line_s=settings.recognizer_line_seconds,
            silence_s=settings.recognizer_silence_seconds,
            resident_bytes=settings.recognizer_resident_bytes,
        ),
    )
    return ReaderPool(config, limits)


def _queue(settings: RecognizerSettings) -> JobQueue | None:
    """Return the queue that wakes the workers; None without a broker."""
    url = settings.redis_url
    return None if url is None else JobQueue(make_app(url.get_secret_value()))


async def serve(settings: RecognizerSettings) -> None:
    """Serve until SIGTERM; images that are being read are finished first."""
    signer = settings.signer()
    readers = reader_pool(settings)
    async with rpc.channel(settings.registry_address, signer, services=[MODELS]) as channel:
        registry = models_pb2_grpc.ModelServiceStub(channel)
        models = ModelCache(
            settings.data_dir / "model_cache", settings.model_cache_bytes, model_download(registry)
        )
        servicer = RecognizerServicer(Dependencies(models, readers), signer, _queue(settings))
        readers.start()
        checking = asyncio.create_task(
            drop_unusable_models(models, usable_digests(registry), settings.model_check_seconds)
        )
        try:
            await rpc.serve(
                lambda server: recognizer_pb2_grpc.add_RecognizerServiceServicer_to_server(servicer, server),
                bind=settings.bind,
                signer=signer,
                service="recognizer",
                names=[SERVICE],
                ready=readers.ready,
                drain_seconds=settings.drain_seconds,
            )
        finally:
            checking.cancel()
            await readers.close()


def main() -> None:
    """Run the recognizer and its metrics endpoint until SIGTERM.

    The settings come from KETAV_… variables; a wrong one ends the process.
    """
    settings = load(RecognizerSettings)
    configure("recognizer", settings.log_level)
    with (
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("recognizer", settings.otlp_endpoint),
    ):
        asyncio.run(serve(settings))


if __name__ == "__main__":
    main()
