"""The only module of the recognizer that imports Celery: the queue of jobs, and its consumer.

A message has a job's id. It wakes a worker, which asks the registry for the pages to read; so a message that
is lost or arrives twice changes nothing.
"""

import logging
import os
import warnings
from collections.abc import Callable
from typing import Any, Final

from celery import Celery, signals
from kombu.exceptions import OperationalError

from ketav_common import tracing
from ketav_common.errors import Unavailable
from ketav_common.logging import get_logger
from ketav_common.tracing import SpanKind

READ: Final = "ketav.read"
"""Name of the task that starts a job."""
_QUEUE: Final = "ketav-jobs"
_BROKER_TIMEOUT_S: Final = 2
"""Seconds until the broker counts as unavailable: a client that creates a job waits for it."""
_MESSAGE_LIFETIME_S: Final = 60
"""Seconds after which a message is dropped: a sweep has started the job by then."""

log = get_logger()


def make_app(redis_url: str) -> Celery:
    """Build the Celery application for a broker."""
    app = Celery("ketav-jobs", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_default_queue=_QUEUE,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": _BROKER_TIMEOUT_S,
            "socket_connect_timeout": _BROKER_TIMEOUT_S,
        },
    )
    return app


class JobQueue:
    """The queue that wakes workers."""

    def __init__(self, app: Celery) -> None:
        """Take the Celery application."""
        self._app = app

    def enqueue(self, job_id: str) -> None:
        """Enqueue a job, within some seconds; raises Unavailable when the broker is unavailable."""
        try:
            with tracing.span("enqueue job", SpanKind.PRODUCER):
                self._app.send_task(READ, args=[job_id], expires=_MESSAGE_LIFETIME_S, retry=False)
        except (OperationalError, OSError) as error:
            raise Unavailable("The queue of jobs is unavailable. Retry later.", code="no-broker") from error


def run_consumer(app: Celery, *, wake: Callable[[], None], stop: Callable[[], None]) -> None:
    """Consume messages until SIGTERM: each one calls `wake`, and the signal calls `stop`."""

    @app.task(name=READ)  # type: ignore[untyped-decorator]
    def on_read(job_id: str) -> None:
        """Wake the worker, which reads the pages that the registry chooses."""
        log.info("job_announced", job_id=job_id)
        wake()

    def on_stop(**_: Any) -> None:  # noqa: ANN401 - the signal's arguments
        """Stop reading."""
        stop()

    signals.setup_logging.connect(_keep_logging, weak=False)
    signals.worker_shutting_down.connect(on_stop, weak=False)
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # The operator decides which user runs the worker; in containers it is not root.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    single = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--queues", _QUEUE]
    name = f"ketav-jobs-{os.getpid()}@%h"
    app.worker_main(["--quiet", "worker", "--pool", "solo", "--hostname", name, *single])


def _keep_logging(**_: Any) -> None:  # noqa: ANN401 - the signal's arguments
    """Keep the service's own logging: Celery configures none when a receiver is connected."""
