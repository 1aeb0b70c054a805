"""Reader processes behind a bounded queue: a death fails one request, and a fresh process takes its place."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ketav_common.errors import InvalidInput, RateLimited, Unavailable
from ketav_common.logging import get_logger
from ketav_recognizer.domain import Answer, ReaderSpec, Task
from ketav_recognizer.process import ReaderDiedError, ReaderProcess

T = TypeVar("T")
log = get_logger()

_WATCH_S: Final = 1.0
_SLOWEST_RESTART_S: Final = 30.0
_FAILED_STARTS: Final = 3


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """How much the pool takes on."""

    readers: int
    """Processes that read at the same time."""
    queue: int
    """Requests that may wait beside those being read."""
    page_s: float
    """Seconds a reader may take for one image before it is killed."""
    start_s: float = 120.0
    """Seconds a reader may take to get ready."""
    deaths: int = 2
    """Deaths of readers after which an image is refused."""
    refusal_s: float = 600.0
    """Seconds for which such an image is refused."""


class ReaderPool:
    """Hands tasks to reader processes. All methods belong to one event loop."""

    def __init__(self, spec: ReaderSpec, limits: PoolLimits) -> None:
        """Take what a reader is, and how many of them, waiting requests and seconds there may be."""
        self._limits = limits
        self._readers = [ReaderProcess(spec) for _ in range(limits.readers)]
        self._idle: asyncio.Queue[ReaderProcess] = asyncio.Queue()
        self._threads = ThreadPoolExecutor(limits.readers, thread_name_prefix="reader")
        self._tasks: set[asyncio.Task[Any]] = set()
        self._places = limits.readers + limits.queue
        self._failed_starts = 0
        self._warm = False
        self._deadly = _DeadlyImages(limits.deaths, limits.refusal_s)

    def start(self) -> None:
        """Begin to start the readers; `ready` tells when the first one is warm."""
        for reader in self._readers:
            self._spawn(self._bring_up(reader))
        self._spawn(self._watch())

    @property
    def warm(self) -> bool:
        """Whether a reader has been warm and the readers do not fail to start again and again."""
        return self._warm and self._failed_starts < _FAILED_STARTS

    async def ready(self) -> bool:
        """Tell `warm` in the way that the server asks for it."""
        return self.warm

    async def close(self) -> None:
        """Kill all readers and wait until nothing of the pool runs."""
        for task in self._tasks:
            task.cancel()
        for reader in self._readers:
            reader.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)
        for reader in self._readers:
            reader.reap()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the queue while in the context; raise RateLimited when all are taken."""
        if self._places <= 0:
            raise RateLimited("too many images wait to be read", code="queue-full")
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1

    async def read(self, task: Task) -> Answer:
        """Have an image read by the next free reader.

        A caller that is cancelled while waiting is dropped; once a reader has begun it finishes and is then
        free again, whether or not somebody still wants the answer. Raises Unavailable when the reader died.
        """
        key = self._deadly.check(task.image)
        if self._failed_starts >= _FAILED_STARTS:
            raise Unavailable("no reader can be started", code="no-reader")
        while not (reader := await self._idle.get()).alive:
            self._replace_idle(reader)
        return await asyncio.shield(self._spawn(self._run(reader, task, key)))

    @property
    def pids(self) -> list[int]:
        """Process ids of the readers that run."""
        return [reader.pid for reader in self._readers if reader.alive and reader.pid is not None]

    async def _run(self, reader: ReaderProcess, task: Task, key: str) -> Answer:
        """Let one reader answer one task, bounded in time; replace the reader when it dies."""
        watchdog = asyncio.get_running_loop().call_later(self._limits.page_s, reader.kill)
        try:
            answer = await self._in_thread(reader.read, task)
        except ReaderDiedError as error:
            deaths = self._deadly.note(key)
            log.warning("reader_died", reason=str(error), deaths_of_image=deaths)
            self._spawn(self._bring_up(reader))
            raise Unavailable("the reader died; try again", code="reader-died") from error
        finally:
            watchdog.cancel()
        self._idle.put_nowait(reader)
        return answer

    async def _bring_up(self, reader: ReaderProcess) -> None:
        """Start a reader, again and again with growing pauses, until it is warm; then offer it."""
        pause = 0.5
        while True:
            began = time.monotonic()
            try:
                await self._in_thread(reader.start, self._limits.start_s)
            except ReaderDiedError as error:
                self._failed_starts += 1
                log.error("reader_failed_to_start", reason=str(error), failures=self._failed_starts)  # noqa: TRY400
                await asyncio.sleep(pause)
                pause = min(2 * pause, _SLOWEST_RESTART_S)
                continue
            self._failed_starts, self._warm = 0, True
            log.info("reader_ready", pid=reader.pid, seconds=round(time.monotonic() - began, 2))
            self._idle.put_nowait(reader)
            return

    async def _watch(self) -> None:
        """Replace readers that died while idle, before a request has to find out."""
        while True:
            await asyncio.sleep(_WATCH_S)
            for _ in range(self._idle.qsize()):
                reader = self._idle.get_nowait()
                if reader.alive:
                    self._idle.put_nowait(reader)
                else:
                    self._replace_idle(reader)

    def _replace_idle(self, reader: ReaderProcess) -> None:
        """Start a successor of a reader that died with nothing to do."""
        log.warning("idle_reader_died")
        self._spawn(self._bring_up(reader))

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a blocking call in the pool's own threads, one for each reader."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - whatever the coroutine returns
        """Run a coroutine as a task that the pool keeps until it is done."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        """Forget a finished task; its error, if any, went to whoever awaited it."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()


class _DeadlyImages:
    """Remembers images over which readers died, so that one of them cannot keep killing."""

    _ROOM: Final = 256

    def __init__(self, limit: int, seconds: float) -> None:
        """Take how many images are remembered, and for how many seconds."""
        self._limit = limit
        self._seconds = seconds
        self._deaths: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, image: bytes) -> str:
        """Return an image's key; raise InvalidInput when readers died over it too often of late."""
        key = hashlib.sha256(image).hexdigest()
        deaths, since = self._deaths.get(key, (0, 0.0))
        if deaths and time.monotonic() - since > self._seconds:
            del self._deaths[key]
        elif deaths >= self._limit:
            raise InvalidInput("reading this image has failed repeatedly", code="unreadable-image")
        return key

    def note(self, key: str) -> int:
        """Count a death over an image and return the count."""
        deaths = self._deaths.pop(key, (0, 0.0))[0] + 1
        self._deaths[key] = (deaths, time.monotonic())
        while len(self._deaths) > self._ROOM:
            self._deaths.popitem(last=False)
        return deaths
