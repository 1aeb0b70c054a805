"""The only module that imports Celery: the application, the queue of runs, and the worker.

A message has a run's id, and the trace of its sender in a header. The registry knows whether the run still
must be trained; a message that is lost or arrives twice changes nothing.
"""

import logging
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from celery import Celery, signals
from celery.beat import EmbeddedService
from kombu.exceptions import OperationalError

from ketav_common import tracing
from ketav_common.errors import Unavailable
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind

TRAIN: Final = "ketav.train"
"""Name of the task that trains a run."""
SWEEP: Final = "ketav.sweep"
"""Name of the task that enqueues waiting runs."""
_QUEUE: Final = "ketav"
_BROKER_TIMEOUT_S: Final = 2
"""Seconds until the broker counts as unavailable: a caller of StartTraining waits for it."""
_VISIBILITY_TIMEOUT_S: Final = 30
"""Seconds after which an unacknowledged message is delivered again; a sweep enqueues the run earlier."""

log = get_logger()


def make_app(redis_url: str, sweep_s: float = 15.0) -> Celery:
    """Build the Celery application for a broker; beat sweeps every `sweep_s` seconds."""
    app = Celery("ketav", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_default_queue=_QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": _VISIBILITY_TIMEOUT_S,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "socket_timeout": _BROKER_TIMEOUT_S,
            "socket_connect_timeout": _BROKER_TIMEOUT_S,
        },
        beat_schedule={SWEEP: {"task": SWEEP, "schedule": sweep_s, "options": {"expires": sweep_s}}},
    )
    return app


class RunQueue:
    """The queue from which workers take runs."""

    def __init__(self, app: Celery) -> None:
        """Take the Celery application."""
        self._app = app

    def enqueue(self, run_id: str) -> None:
        """Enqueue a run, within some seconds; raises Unavailable when the broker is unavailable."""
        try:
            with tracing.span("enqueue run", SpanKind.PRODUCER):
                self._app.send_task(TRAIN, args=[run_id], headers=tracing.headers_of(), retry=False)
        except (OperationalError, OSError) as error:
            raise Unavailable(
                "The queue of trainings is unavailable. Try again later.", code="no-broker"
            ) from error


@dataclass(frozen=True, slots=True)
class Tasks:
    """The functions that a worker calls for messages and signals."""

    train: Callable[[str, Mapping[str, str]], None]
    """Trains the run with this id; the headers continue the trace of the process that enqueued it."""
    sweep: Callable[[], None]
    """Enqueues waiting runs."""
    stop: Callable[[], None]
    """Ends the training under way; called as soon as SIGTERM arrives."""


def run_worker(app: Celery, tasks: Tasks, *, beat: bool) -> None:
    """Consume messages until SIGTERM, one at a time, in the main thread; `beat` schedules sweeps."""

    @app.task(name=TRAIN, bind=True)  # type: ignore[untyped-decorator]
    def on_train(task: Any, run_id: str) -> None:  # noqa: ANN401 - Celery has no types
        """Train a run."""
        tasks.train(run_id, task.request.headers or {})

    @app.task(name=SWEEP)  # type: ignore[untyped-decorator]
    def on_sweep() -> None:
        """Enqueue waiting runs."""
        tasks.sweep()

    # This scheduler keeps its times in memory: one sweep more or less changes nothing.
    scheduler = EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler") if beat else None
    _connect_signals(tasks, scheduler)
    # A sweep every few seconds is not worth a line each; the tasks log what they do.
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # The operator decides which user runs the worker; in containers it is not root.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    single = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--queues", _QUEUE]
    app.worker_main(["--quiet", "worker", "--pool", "solo", "--hostname", f"ketav-{os.getpid()}@%h", *single])


def _connect_signals(tasks: Tasks, scheduler: Any | None) -> None:  # noqa: ANN401 - Celery has no types
    """Start the scheduler when the worker consumes, and pass SIGTERM on to the training."""

    def on_ready(**_: Any) -> None:  # noqa: ANN401 - the signal's arguments
        """Start the scheduler."""
        log.info("worker_ready", beat=scheduler is not None)
        if scheduler:
            scheduler.start()

    def on_stop(**_: Any) -> None:  # noqa: ANN401 - the signal's arguments
        """Stop the training; the scheduler stops in a thread, because stopping it waits."""
        tasks.stop()
        if scheduler:
            threading.Thread(target=scheduler.stop, daemon=True).start()

    signals.setup_logging.connect(_keep_logging, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_shutting_down.connect(on_stop, weak=False)


def _keep_logging(**_: Any) -> None:  # noqa: ANN401 - the signal's arguments
    """Keep the service's own logging: Celery configures none when a receiver is connected."""
