"""Starts a recognizer-worker: `python -m ketav_recognizer.worker`. It reads the pages of jobs."""

import asyncio
import os
import signal
import socket
import sys
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import NoReturn

from ketav.registry.v1 import jobs_pb2, pages_pb2
from ketav_common import rpc
from ketav_common.beats import beating
from ketav_common.images import ImageNormaliser
from ketav_common.logging import configure, get_logger
from ketav_common.private_directory import locked_directory
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing_export import exporting_spans
from ketav_recognizer.celery_app import make_app, run_consumer
from ketav_recognizer.jobs import Dependencies
from ketav_recognizer.jobs_documents import Documents
from ketav_recognizer.jobs_loop import JobLoop
from ketav_recognizer.jobs_registry import JobClient
from ketav_recognizer.settings import JobWorkerSettings

log = get_logger()

_SERVICES = [
    jobs_pb2.DESCRIPTOR.services_by_name["JobService"],
    pages_pb2.DESCRIPTOR.services_by_name["PageService"],
]
"""The registry's services that are called."""
_START_S = 30.0
"""Seconds within which the first decoder starts."""
_EXIT_S = 10.0
"""Seconds for closing channels and decoders after the last page."""


async def read_jobs(settings: JobWorkerSettings, started: "Future[JobLoop]") -> None:
    """Read pages of jobs until the loop is stopped; `started` gets the loop."""
    signer = settings.signer()
    async with AsyncExitStack() as stack:
        registry = await stack.enter_async_context(
            rpc.channel(settings.registry_address, signer, services=_SERVICES)
        )
        recognizer = await stack.enter_async_context(rpc.channel(settings.recognizer_address, signer))
        client = JobClient(
            registry,
            recognizer,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            recognize_s=settings.recognize_timeout_s,
        )
        images = ImageNormaliser(
            workers=settings.job_pages_at_once,
            timeout_s=settings.image_timeout_s,
            memory_bytes=settings.image_memory_bytes,
        )
        folder = stack.enter_context(locked_directory(settings.data_dir / "jobs", "worker-"))
        dependencies = Dependencies(
            client,
            await stack.enter_async_context(images),
            Documents(folder, client, settings.job_pages_at_once + 1),
            folder,
            settings.heartbeat_seconds,
            asyncio.Event(),
        )
        loop = JobLoop(
            dependencies, pages_at_once=settings.job_pages_at_once, sweep_s=settings.job_sweep_seconds
        )
        started.set_result(loop)
        await loop.run(settings.drain_seconds)


def _run(settings: JobWorkerSettings, started: "Future[JobLoop]") -> None:
    """Run the event loop of the worker in its thread; a failure to start is passed on."""
    try:
        asyncio.run(read_jobs(settings, started))
    except Exception as error:
        if started.done():
            log.exception("job_loop_crashed")
            os._exit(1)  # the supervisor starts another worker; a worker without its loop reads nothing
        started.set_exception(error)


def _exit(_number: int, _frame: object) -> NoReturn:
    """Exit with status 0, after the pages that are being read."""
    sys.exit(0)


def main() -> None:
    """Run a worker with settings from the environment until SIGTERM.

    Celery has the main thread, which gets the signals; pages are read in an event loop in another thread.
    """
    settings = load(JobWorkerSettings)
    configure("recognizer-worker", settings.log_level)
    app = make_app(settings.redis_url.get_secret_value())
    with (
        beating(settings.beat_file),
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("recognizer-worker", settings.otlp_endpoint),
    ):
        started: Future[JobLoop] = Future()
        thread = threading.Thread(target=_run, args=(settings, started), name="jobs")
        signal.signal(signal.SIGTERM, _exit)  # until Celery handles the signal itself
        thread.start()
        try:
            loop = started.result(_START_S)
            run_consumer(app, wake=loop.wake, stop=loop.stop)
        finally:
            started.result(_START_S).stop()
            thread.join(settings.drain_seconds + _EXIT_S)


if __name__ == "__main__":
    main()
