"""Starts a worker: `python -m ketav_trainer.worker [--beat]`. One worker, or each of them, may run beat."""

import argparse
import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Self

from ketav_common import context, rpc, tracing
from ketav_common.beats import beating
from ketav_common.errors import KetavError
from ketav_common.logging import configure, get_logger
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing import SpanKind
from ketav_common.tracing_export import exporting_spans
from ketav_trainer import usecases
from ketav_trainer.celery_app import RunQueue, Tasks, make_app, run_worker
from ketav_trainer.domain import TrainingConfig
from ketav_trainer.fit_messages import EngineConfig
from ketav_trainer.fit_runner import FitProcesses
from ketav_trainer.registry import RegistryClient
from ketav_trainer.settings import WorkerSettings
from ketav_trainer.training import Dependencies, Outcome, run_training

log = get_logger()


class Worker:
    """Runs the tasks, one at a time, in one event loop. Each task has its own connection to the registry."""

    def __init__(self, settings: WorkerSettings, queue: RunQueue) -> None:
        """Take the settings and the queue."""
        self._settings = settings
        self._queue = queue
        self._signer = settings.signer()
        self._config = training_config(settings)
        self._processes = fit_processes(self._config)
        self._runner = asyncio.Runner()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stopping = False

    def __enter__(self) -> Self:
        """Start the process that waits for the first training."""
        self._runner.run(self._prepare())
        return self

    def __exit__(self, *_: object) -> None:
        """End the process that waits, and close the event loop."""
        self._runner.run(self._processes.close())
        self._runner.close()

    def train(self, run_id: str, headers: Mapping[str, str]) -> None:
        """Bring a run to its end, in the trace that the message's headers name."""
        with tracing.span("take run", SpanKind.CONSUMER, headers=headers):
            outcome = self._runner.run(self._train(run_id))
        if outcome == "returned" and not self._stopping:
            self._runner.run(self._sweep())  # the run that it has yielded to is enqueued at once
        self._runner.run(self._prepare())

    def sweep(self) -> None:
        """Enqueue every waiting run."""
        self._runner.run(self._sweep())

    def stop(self) -> None:
        """Return the run that is being trained to the queue; called from a signal handler."""
        self._stopping = True
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def _prepare(self) -> None:
        """Start the process of the next training ahead, if so configured."""
        if self._settings.training_standby and not self._stopping:
            await self._processes.prepare()

    async def _train(self, run_id: str) -> Outcome | None:
        """Train one run until it ends or the worker stops; return how the attempt ended."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._stopping:
            self._stop.set()
        try:
            async with rpc.channel(self._settings.registry_address, self._signer) as channel:
                dependencies = Dependencies(
                    RegistryClient(channel), self._config, self._processes, self._stop
                )
                with context.bind(request_id=f"run-{run_id}"):
                    return await run_training(run_id, dependencies=dependencies)
        except KetavError as error:
            log.warning("run_left_to_the_sweep", run_id=run_id, code=error.code)
            return None
        finally:
            self._loop = self._stop = None

    async def _sweep(self) -> None:
        """Sweep once."""
        try:
            async with rpc.channel(self._settings.registry_address, self._signer) as channel:
                await usecases.sweep_training_runs(registry=RegistryClient(channel), queue=self._queue)
        except KetavError as error:
            log.warning("sweep_failed", code=error.code)


def training_config(settings: WorkerSettings) -> TrainingConfig:
    """Return the configuration of trainings that the settings describe."""
    return TrainingConfig(
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
        device=settings.device,
    )


def fit_processes(config: TrainingConfig) -> FitProcesses:
    """Return the processes that train as a configuration says."""
    engine = EngineConfig(config.engine, config.language, config.device)
    return FitProcesses(engine, config.address_space_bytes)


def main() -> None:
    """Run a worker with settings from the environment."""
    parser = argparse.ArgumentParser(description="Trains the models of queued runs.")
    parser.add_argument("--beat", action="store_true", help="also sweep for waiting runs on a schedule")
    arguments = parser.parse_args()
    settings = load(WorkerSettings)
    configure("trainer-worker", settings.log_level)
    app = make_app(settings.redis_url.get_secret_value(), settings.sweep_seconds)
    with (
        beating(settings.beat_file),
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("trainer-worker", settings.otlp_endpoint),
        Worker(settings, RunQueue(app)) as worker,
    ):
        tasks = Tasks(train=worker.train, sweep=worker.sweep, stop=worker.stop)
        run_worker(app, tasks, beat=arguments.beat)


if __name__ == "__main__":
    main()
