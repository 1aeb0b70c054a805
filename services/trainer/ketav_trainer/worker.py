"""Starts a worker: `python -m ketav_trainer.worker [--beat]`. One of them, or each, may carry the clock."""

import argparse
import asyncio
import os
import socket

from ketav_common import context, rpc
from ketav_common.errors import KetavError
from ketav_common.logging import configure, get_logger
from ketav_common.telemetry import metrics_server
from ketav_trainer import usecases
from ketav_trainer.celery_app import Bell, make_app, run_worker
from ketav_trainer.registry import Registry
from ketav_trainer.settings import TrainerSettings
from ketav_trainer.training import Workshop, run_training

log = get_logger()


class Worker:
    """What the tasks do. Each task has its own event loop and its own connection to the registry."""

    def __init__(self, settings: TrainerSettings, bell: Bell) -> None:
        """Take the settings and the bell of the queue."""
        self._settings = settings
        self._bell = bell
        self._signer = settings.signer()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stopping = False
        self._workshop = Workshop(
            directory=settings.data_dir / "training",
            engine=settings.engine,
            seed=settings.training_seed,
            epochs=settings.training_epochs,
            memory_bytes=settings.training_memory_bytes,
            seconds=settings.training_seconds,
            heartbeat_s=settings.heartbeat_seconds,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            replay=settings.replay_lines,
            general=settings.general_lines,
            language=settings.language_model,
        )

    def train(self, run_id: str) -> None:
        """Task: bring a run to its end."""
        asyncio.run(self._train(run_id))

    def sweep(self) -> None:
        """Task: ring for every run that waits."""
        asyncio.run(self._sweep())

    def stop(self) -> None:
        """Let go of the run at hand; called from a signal handler."""
        self._stopping = True
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _train(self, run_id: str) -> None:
        """Run one training under the stop signal."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._stopping:
            self._stop.set()
        registry = rpc.channel(self._settings.registry_address, self._signer)
        try:
            async with registry as channel:
                with context.bind(request_id=f"run-{run_id}"):
                    await run_training(
                        run_id, registry=Registry(channel), workshop=self._workshop, stop=self._stop
                    )
        except KetavError as error:
            log.warning("run_left_to_the_sweep", run_id=run_id, code=error.code)
        finally:
            self._loop = self._stop = None

    async def _sweep(self) -> None:
        """Run one sweep."""
        try:
            async with rpc.channel(self._settings.registry_address, self._signer) as channel:
                await usecases.sweep_training_runs(registry=Registry(channel), bell=self._bell)
        except KetavError as error:
            log.warning("sweep_failed", code=error.code)


def main() -> None:
    """Run a worker with settings from the environment."""
    parser = argparse.ArgumentParser(description="Trains models that wait in the queue.")
    parser.add_argument("--beat", action="store_true", help="also look for waiting runs from time to time")
    arguments = parser.parse_args()
    settings = TrainerSettings()
    configure("trainer-worker", settings.log_level)
    app = make_app(settings.redis_url, settings.sweep_seconds)
    worker = Worker(settings, Bell(app))
    with metrics_server(settings.metrics_host, settings.metrics_port):
        run_worker(app, worker.train, worker.sweep, worker.stop, beat=arguments.beat)


if __name__ == "__main__":
    main()
