"""The only module that imports Celery: the app, the bell that rings it, and the worker that hears it.

A message carries a run's id and nothing else. What is to be done, and whether it is still to be done, stands
in the registry; a message that is lost or comes twice changes nothing.
"""

import logging
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any, Final

from celery import Celery, signals
from celery.beat import EmbeddedService
from kombu.exceptions import OperationalError

from ketav_common.errors import Unavailable
from ketav_common.logging import get_logger

TRAIN: Final = "ketav.train"
"""Name of the task that trains a run."""
SWEEP: Final = "ketav.sweep"
"""Name of the task that looks for waiting runs."""
_QUEUE: Final = "ketav"
_BROKER_S: Final = 2
_VISIBILITY_S: Final = 30

log = get_logger()


def make_app(redis_url: str, sweep_s: float = 15.0) -> Celery:
    """Build the Celery app on a broker; `sweep_s` is the pause between two sweeps of beat."""
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
            "visibility_timeout": _VISIBILITY_S,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
            "socket_timeout": _BROKER_S,
            "socket_connect_timeout": _BROKER_S,
        },
        beat_schedule={SWEEP: {"task": SWEEP, "schedule": sweep_s, "options": {"expires": sweep_s}}},
    )
    return app


class Bell:
    """Tells some worker that a run waits."""

    def __init__(self, app: Celery) -> None:
        """Take the Celery application to ring with."""
        self._app = app

    def ring(self, run_id: str) -> None:
        """Send a run's id; block some seconds at most; raise Unavailable when the broker is away."""
        try:
            self._app.send_task(TRAIN, args=[run_id], retry=False)
        except (OperationalError, OSError) as error:
            raise Unavailable("the queue of the trainer cannot be reached", code="no-broker") from error


def run_worker(
    app: Celery,
    train: Callable[[str], None],
    sweep: Callable[[], None],
    stop: Callable[[], None],
    *,
    beat: bool,
) -> None:
    """Hear the bell until SIGTERM: `train` takes a run's id, `stop` is called as soon as the signal comes.

    The tasks run in the main thread, one at a time; `beat` adds the clock of the sweeps in a thread.
    """

    @app.task(name=TRAIN)  # type: ignore[untyped-decorator]
    def on_train(run_id: str) -> None:
        """Train a run."""
        train(run_id)

    @app.task(name=SWEEP)  # type: ignore[untyped-decorator]
    def on_sweep() -> None:
        """Look for waiting runs."""
        sweep()

    # This scheduler keeps its clock in memory: a sweep more or less is nothing.
    clock = EmbeddedService(app, thread=True, scheduler_cls="celery.beat:Scheduler") if beat else None

    def on_ready(**_: Any) -> None:  # noqa: ANN401 - whatever the signal carries
        """Start the clock once the worker listens."""
        log.info("worker_ready", beat=beat)
        if clock:
            clock.start()

    def on_stop(**_: Any) -> None:  # noqa: ANN401 - whatever the signal carries
        """Pass the signal on; the clock stops beside it, because stopping it waits."""
        stop()
        if clock:
            threading.Thread(target=clock.stop, daemon=True).start()

    signals.setup_logging.connect(_keep_logging, weak=False)
    signals.worker_ready.connect(on_ready, weak=False)
    signals.worker_shutting_down.connect(on_stop, weak=False)
    # A sweep every few seconds is not worth a line each; the tasks log what they did.
    for name in ("celery", "kombu"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Who runs the worker is the operator's business; in containers it is not root.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--queues", _QUEUE]
    app.worker_main(["--quiet", "worker", "--pool", "solo", "--hostname", f"ketav-{os.getpid()}@%h", *alone])


def _keep_logging(**_: Any) -> None:  # noqa: ANN401 - whatever the signal carries
    """Keep the service's own logging: being connected is what tells Celery to leave it alone."""
