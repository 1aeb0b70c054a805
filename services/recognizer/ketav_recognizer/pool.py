"""Reader processes behind a bounded queue: if one ends or hangs, its request fails and another is started."""

import asyncio
import hashlib
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import TTLCache

from ketav_common.child_process import ChildDiedError
from ketav_common.errors import InvalidInput, Unavailable
from ketav_common.logging import get_logger
from ketav_common.readiness import Readiness
from ketav_common.telemetry import READING_STAGE, report_stages
from ketav_engine.domain import ReadPage
from ketav_recognizer import metrics
from ketav_recognizer.domain import Answer, ReaderConfig, ReadingTask
from ketav_recognizer.idle_readers import IdleReaders, Turn
from ketav_recognizer.penalties import DEATH, OVERRUN, Penalties
from ketav_recognizer.reader_process import Reader, ReaderLimits
from ketav_recognizer.slots import Slots

log = get_logger()

_CHECK_INTERVAL_S: Final = 1.0
"""Seconds between two checks for idle readers that died or hang, and for started successors."""
_FIRST_RESTART_PAUSE_S: Final = 0.5
_LONGEST_RESTART_PAUSE_S: Final = 30.0
_MAX_FAILED_STARTS: Final = 3
"""Failed starts in a row after which requests are refused instead of waiting for a reader."""
_REMEMBERED_IMAGES: Final = 256
"""Images over which readers died that are remembered at most: 64 bytes each."""
_LINE_S: Final = 0.1
_PAGE_S: Final = 2.0
"""Seconds that an image of a line and a page are expected to take, for the turns of users."""
_RESTART_S: Final = 10
"""Seconds after which a client retries whose reader died: a successor starts in this time."""
_NOT_READY: Final = Readiness(
    serving=False,
    problems=("No reader has loaded the engine. Wait some seconds, or read the log of the recognizer.",),
)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The limits of a pool."""

    readers: int
    """Processes that read at the same time."""
    queue: int
    """Requests that may wait besides those that are being read."""
    reader: ReaderLimits = field(default_factory=ReaderLimits)
    """The limits of each process."""
    deaths: int = 2
    """Deaths of readers over one image after which it is refused."""
    refusal_s: float = 600.0
    """Seconds for which such an image is refused."""


class ReaderPool:
    """Gives tasks to reader processes. All methods belong to one event loop."""

    def __init__(self, config: ReaderConfig, limits: PoolLimits) -> None:
        """Take how a reader is set up, and the limits of processes, waiting requests and seconds."""
        self._limits = limits
        self._readers = [Reader(config, limits.reader) for _ in range(limits.readers)]
        self._idle: IdleReaders[Reader] = IdleReaders()
        self._slots = Slots(limits.readers, limits.queue)
        self._penalties = Penalties()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failed_starts = 0
        self._started_once = False
        self._deaths_by_image: TTLCache[str, int] = TTLCache(_REMEMBERED_IMAGES, limits.refusal_s)

    def start(self) -> None:
        """Begin to start the readers; `is_ready` turns True when the first one has loaded the engine."""
        metrics.READERS_CONFIGURED.set(self._limits.readers)
        metrics.READERS_ALIVE.set_function(lambda: len(self.pids))
        metrics.QUEUE_SLOTS_FREE.set_function(lambda: self._slots.free)
        for reader in self._readers:
            self._spawn(self._start_reader(reader))
        self._spawn(self._check_idle_readers())

    @property
    def is_ready(self) -> bool:
        """Return whether a reader has been ready and fewer than three starts in a row failed."""
        return self._started_once and self._failed_starts < _MAX_FAILED_STARTS

    async def ready(self) -> Readiness:
        """Return `is_ready` in the form that `rpc.serve` asks for."""
        return Readiness() if self.is_ready else _NOT_READY

    async def close(self) -> None:
        """Kill all readers and wait until no task of the pool runs."""
        for task in self._tasks:
            task.cancel()
        for reader in self._readers:
            if reader.child is not None:
                reader.child.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in self._readers:
            await reader.end()

    def slot(self, user: str = "", *, batch: bool = False) -> AbstractContextManager[None]:
        """Take a slot of the queue for the context; raises RateLimited when there is none for the user.

        Raises RateLimited costly-images, too, while the user is slowed.
        """
        self._penalties.check(user)
        return self._slots.take(user, batch=batch)

    async def read(self, task: ReadingTask) -> Answer:
        """Read an image with the next free reader.

        A caller that is cancelled while it waits leaves the queue; a reader that has begun finishes the image
        and is then free, even if no caller waits for the answer. Raises Unavailable when the reader died, and
        InvalidInput for an image over which readers have died.
        """
        key = hashlib.sha256(task.image).hexdigest()
        if self._deaths_by_image.get(key, 0) >= self._limits.deaths:
            raise InvalidInput(
                "Reading this image has failed repeatedly. Send it at a lower resolution or in parts.",
                code="unreadable-image",
            )
        if self._failed_starts >= _MAX_FAILED_STARTS:
            raise Unavailable("No reader process can be started. Try again later.", code="no-reader")
        turn = Turn(task.user, task.batch, _LINE_S if task.layout == "line" else _PAGE_S)
        reader = await self._next_reader(turn)
        return await asyncio.shield(self._spawn(self._run(reader, task, key, turn)))

    async def _next_reader(self, turn: Turn) -> Reader:
        """Wait until it is the request's turn and a reader is free; start a successor of each dead one.

        The wait has no time limit; it ends early when the caller's task is cancelled.
        """
        with metrics.READINGS_WAITING.track_inprogress(), metrics.QUEUE_DELAY.time():
            while not (reader := await self._idle.get(turn)).alive:
                self._replace(reader)
        return reader

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the readers that run."""
        return [reader.child.pid for reader in self._readers if reader.child is not None and reader.alive]

    async def _run(self, reader: Reader, task: ReadingTask, key: str, turn: Turn) -> Answer:
        """Return a reader's answer to a task; when the reader dies, replace it and raise Unavailable."""
        pid = reader.child.pid if reader.child is not None else 0
        began = time.monotonic()
        try:
            with metrics.READERS_BUSY.track_inprogress():
                timed = await reader.ask(task)
        except ChildDiedError as error:
            self._count_death(task, key, error)
            self._spawn(self._start_reader(reader))
            raise Unavailable(
                "The process that read the image ended. Read the image again.",
                code="reader-died",
                retry_after=_RESTART_S,
            ) from error
        finally:
            self._idle.charge(turn, time.monotonic() - began)
        if isinstance(timed.answer, ReadPage) and timed.answer.warnings:
            metrics.BUDGET_OVERRUNS.inc()
            self._penalties.add(task.user, OVERRUN)
        self._offer(reader)
        report_stages(READING_STAGE, timed.stages, pid)
        return timed.answer

    def _count_death(self, task: ReadingTask, key: str, error: ChildDiedError) -> None:
        """Count the death of a reader for the image and for the user."""
        metrics.READER_DEATHS.inc()
        self._penalties.add(task.user, DEATH)
        deaths = self._deaths_by_image.get(key, 0) + 1
        self._deaths_by_image[key] = deaths
        log.warning("reader_died", reason=str(error), deaths_over_image=deaths)

    def _offer(self, reader: Reader) -> None:
        """Offer an idle reader to the next request; renew one whose process occupies too much memory."""
        if reader.is_too_large and not reader.is_being_renewed:
            reader.is_being_renewed = True
            self._spawn(self._renew(reader))
        self._idle.put(reader)

    async def _renew(self, reader: Reader) -> None:
        """Start the successor of a reader that goes on reading meanwhile."""
        metrics.READERS_RENEWED.inc()
        log.info("reader_renewed", resident_bytes=reader.child.resident_bytes if reader.child else 0)
        try:
            reader.successor = await reader.start()
        except (ChildDiedError, OSError) as error:
            reader.is_being_renewed = False
            log.error("reader_failed_to_start", reason=str(error))  # noqa: TRY400

    async def _start_reader(self, reader: Reader) -> None:
        """Start a process, again and again with growing pauses, until one is ready; then offer it."""
        pause = _FIRST_RESTART_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                await reader.restart()
            except (ChildDiedError, OSError) as error:
                self._failed_starts += 1
                metrics.READER_STARTS_FAILED.inc()
                log.error("reader_failed_to_start", reason=str(error), failures=self._failed_starts)  # noqa: TRY400
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RESTART_PAUSE_S)
                continue
            self._failed_starts, self._started_once = 0, True
            log.info("reader_ready", pids=self.pids, seconds=round(time.monotonic() - began, 2))
            self._idle.put(reader)
            return

    async def _check_idle_readers(self) -> None:
        """Check idle readers before a request takes them, repeatedly, until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_INTERVAL_S)
            for reader in self._idle.take_all():
                self._spawn(self._check(reader))

    async def _check(self, reader: Reader) -> None:
        """Offer an idle reader again, or its successor; replace one that died or does not answer."""
        await reader.adopt_successor()
        if reader.alive and await reader.ping():
            self._idle.put(reader)
        else:
            self._replace(reader)

    def _replace(self, reader: Reader) -> None:
        """Start a successor of a process that died or was ended while idle."""
        log.warning("idle_reader_died")
        self._spawn(self._start_reader(reader))

    def _spawn(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine as a task that the pool keeps until it is done."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        """Remove a finished task; its error, if any, was raised where it was awaited."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()
