"""Reader processes behind a bounded queue: if one ends, its request fails and the pool starts another."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from cachetools import TTLCache

from ketav_common.child_channel import BadFrameError
from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.errors import InvalidInput, RateLimited, Unavailable
from ketav_common.logging import get_logger
from ketav_common.readiness import Readiness
from ketav_common.telemetry import READING_STAGE, report_stages
from ketav_recognizer import metrics
from ketav_recognizer.domain import Answer, ReaderConfig, ReadingTask
from ketav_recognizer.idle_readers import IdleReaders
from ketav_recognizer.reader_messages import WARM_UP, TimedAnswer, from_task, to_answer

log = get_logger()

_READER: Final = "ketav_recognizer.reader"
_CHECK_INTERVAL_S: Final = 1.0
"""Seconds between two checks for readers that died while idle."""
_FIRST_RESTART_PAUSE_S: Final = 0.5
_LONGEST_RESTART_PAUSE_S: Final = 30.0
_MAX_FAILED_STARTS: Final = 3
"""Failed starts in a row after which requests are refused instead of waiting for a reader."""
_REMEMBERED_IMAGES: Final = 256
"""Images over which readers died that are remembered at most: 64 bytes each."""
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
    page_s: float
    """Seconds that a reader may take for one image before it is killed."""
    start_s: float = 120.0
    """Seconds that a reader may take to load the engine."""
    deaths: int = 2
    """Deaths of readers over one image after which it is refused."""
    refusal_s: float = 600.0
    """Seconds for which such an image is refused."""


@dataclass(eq=False)
class _Reader:
    """One of the pool's readers: its present process, None until the first one is started."""

    child: ChildProcess | None = None

    @property
    def alive(self) -> bool:
        """Return whether there is a process and it runs."""
        return self.child is not None and self.child.alive


class ReaderPool:
    """Gives tasks to reader processes. All methods belong to one event loop."""

    def __init__(self, config: ReaderConfig, limits: PoolLimits) -> None:
        """Take how a reader is set up, and the limits of processes, waiting requests and seconds."""
        self._config = config
        self._limits = limits
        self._readers = [_Reader() for _ in range(limits.readers)]
        self._idle: IdleReaders[_Reader] = IdleReaders()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._free_slots = limits.readers + limits.queue
        self._free_batch_slots = limits.readers + limits.queue // 2
        self._slots_per_user = limits.readers + limits.queue - limits.queue // 4
        self._slots_of_users: Counter[str] = Counter()
        self._failed_starts = 0
        self._started_once = False
        self._deaths_by_image: TTLCache[str, int] = TTLCache(_REMEMBERED_IMAGES, limits.refusal_s)

    def start(self) -> None:
        """Begin to start the readers; `is_ready` turns True when the first one has loaded the engine."""
        metrics.READERS_CONFIGURED.set(self._limits.readers)
        metrics.READERS_ALIVE.set_function(lambda: len(self.pids))
        metrics.QUEUE_SLOTS_FREE.set_function(lambda: self._free_slots)
        for reader in self._readers:
            self._spawn(self._start_reader(reader))
        self._spawn(self._replace_dead_readers())

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
            if reader.child is not None:
                await reader.child.end()

    @contextmanager
    def slot(self, user: str = "", *, batch: bool = False) -> Iterator[None]:
        """Take a slot of the queue for the context; raises RateLimited when all are taken.

        Half of the waiting slots are for users alone, so that jobs cannot fill the queue. One user gets at
        most three quarters of them.
        """
        is_full = self._free_slots <= 0 or (batch and self._free_batch_slots <= 0)
        if is_full or self._slots_of_users[user] >= self._slots_per_user:
            raise RateLimited("Too many images wait to be read. Try again later.", code="queue-full")
        self._free_slots -= 1
        self._free_batch_slots -= batch
        self._slots_of_users[user] += 1
        try:
            yield
        finally:
            self._free_slots += 1
            self._slots_of_users -= Counter((user,))
            self._free_batch_slots += batch

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
        reader = await self._next_reader(task.user, batch=task.batch)
        return await asyncio.shield(self._spawn(self._run(reader, task, key)))

    async def _next_reader(self, user: str, *, batch: bool) -> _Reader:
        """Wait until a reader that runs is free, and return it; start a successor of each dead one.

        A request of a job (`batch`) waits until no user's request does; users take turns.

        The wait has no time limit; it ends early when the caller's task is cancelled.
        """
        with metrics.READINGS_WAITING.track_inprogress(), metrics.QUEUE_DELAY.time():
            while not (reader := await self._idle.get(user, batch=batch)).alive:
                self._replace(reader)
        return reader

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the readers that run."""
        return [reader.child.pid for reader in self._readers if reader.child is not None and reader.alive]

    async def _run(self, reader: _Reader, task: ReadingTask, key: str) -> Answer:
        """Return a reader's answer to a task; when the reader dies, replace it and raise Unavailable."""
        pid = reader.child.pid if reader.child is not None else 0
        try:
            with metrics.READERS_BUSY.track_inprogress():
                timed = await self._ask(reader, task)
        except ChildDiedError as error:
            metrics.READER_DEATHS.inc()
            deaths = self._deaths_by_image.get(key, 0) + 1
            self._deaths_by_image[key] = deaths
            log.warning("reader_died", reason=str(error), deaths_over_image=deaths)
            self._spawn(self._start_reader(reader))
            raise Unavailable(
                "The process that read the image ended. Read the image again.", code="reader-died"
            ) from error
        self._idle.put(reader)
        report_stages(READING_STAGE, timed.stages, pid)
        return timed.answer

    async def _ask(self, reader: _Reader, task: ReadingTask) -> TimedAnswer:
        """Return a reader's answer; raises ChildDiedError when it dies or sends anything else."""
        if reader.child is None:
            raise ChildDiedError("the reader was never started")
        request = from_task(task)
        frame = await reader.child.ask(request.message, request.payload, seconds=self._limits.page_s)
        try:
            return to_answer(frame.message)
        except BadFrameError as error:
            await reader.child.end()
            raise ChildDiedError(f"the reader sent {error}") from error

    async def _start_reader(self, reader: _Reader) -> None:
        """Start a process, again and again with growing pauses, until one is ready; then offer it."""
        pause = _FIRST_RESTART_PAUSE_S
        while True:
            began = time.monotonic()
            try:
                reader.child = await self._started_child(reader.child)
            except (ChildDiedError, OSError) as error:
                self._failed_starts += 1
                metrics.READER_STARTS_FAILED.inc()
                log.error("reader_failed_to_start", reason=str(error), failures=self._failed_starts)  # noqa: TRY400
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RESTART_PAUSE_S)
                continue
            self._failed_starts, self._started_once = 0, True
            log.info("reader_ready", pid=reader.child.pid, seconds=round(time.monotonic() - began, 2))
            self._idle.put(reader)
            return

    async def _started_child(self, previous: ChildProcess | None) -> ChildProcess:
        """End the previous process, start a new one and wait until it has loaded the engine."""
        if previous is not None:
            await previous.end()
        config = self._config
        setup = {
            "engine": config.engine,
            "models": config.models,
            "language": str(config.language) if config.language is not None else None,
            "device": config.device,
        }
        limits = ChildLimits(memory_bytes=config.address_space_bytes)
        child = await ChildProcess.start(_READER, limits, setup=setup)
        try:
            await child.ask({WARM_UP: True}, seconds=self._limits.start_s)
        except BaseException:
            await child.end()
            raise
        return child

    async def _replace_dead_readers(self) -> None:
        """Replace readers that died while idle before a request takes them, until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_INTERVAL_S)
            for reader in self._idle.take_all():
                if reader.alive:
                    self._idle.put(reader)
                else:
                    self._replace(reader)

    def _replace(self, reader: _Reader) -> None:
        """Start a successor of a process that died while idle."""
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
