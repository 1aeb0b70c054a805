"""One of the pool's readers: its process, the process that replaces it, and how both are started."""

from dataclasses import asdict, dataclass
from typing import Final

from ketav_common.child_channel import BadFrameError
from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_recognizer.domain import ReaderConfig, ReadingTask
from ketav_recognizer.reader_messages import PING, WARM_UP, TimedAnswer, from_task, to_answer

_READER: Final = "ketav_recognizer.reader"


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """Seconds and bytes of a reader process."""

    page_s: float = 60.0
    """Seconds that it may take for a page before it is killed."""
    line_s: float = 10.0
    """Seconds that it may take for an image of one line."""
    silence_s: float = 5.0
    """Seconds without a heartbeat after which it is killed."""
    start_s: float = 120.0
    """Seconds that it may take to load the engine."""
    resident_bytes: int = 0
    """Memory above which it is replaced by a new process; 0 for no limit."""


@dataclass(eq=False)
class Reader:
    """A reader: its present process, None until the first one is started, and a started successor."""

    config: ReaderConfig
    limits: ReaderLimits
    child: ChildProcess | None = None
    successor: ChildProcess | None = None
    is_being_renewed: bool = False

    @property
    def alive(self) -> bool:
        """Return whether there is a process and it runs."""
        return self.child is not None and self.child.alive

    @property
    def is_too_large(self) -> bool:
        """Return whether the process occupies more memory than it may."""
        limit = self.limits.resident_bytes
        return bool(limit) and self.child is not None and self.child.resident_bytes > limit

    async def start(self) -> ChildProcess:
        """Start a process and wait until it has loaded the engine; raises ChildDiedError when it cannot."""
        config = self.config
        setup = {
            "engine": config.engine,
            "models": config.models,
            "language": str(config.language) if config.language is not None else None,
            "device": config.device,
            "budgets": asdict(config.budgets),
        }
        limits = ChildLimits(memory_bytes=config.address_space_bytes)
        child = await ChildProcess.start(_READER, limits, setup=setup)
        try:
            await child.ask({WARM_UP: True}, seconds=self.limits.start_s)
        except BaseException:
            await child.end()
            raise
        return child

    async def restart(self) -> None:
        """End the process, if there is one, and start another."""
        if self.child is not None:
            await self.child.end()
        self.child = await self.start()

    async def ask(self, task: ReadingTask) -> TimedAnswer:
        """Return the answer to a task; raises ChildDiedError when the process dies or sends anything else."""
        if self.child is None:
            raise ChildDiedError("the reader was never started")
        request = from_task(task)
        limits = self.limits
        frame = await self.child.ask(
            request.message,
            request.payload,
            seconds=limits.line_s if task.layout == "line" else limits.page_s,
            silence_s=limits.silence_s,
        )
        try:
            return to_answer(frame.message)
        except BadFrameError as error:
            await self.child.end()
            raise ChildDiedError(f"the reader sent {error}") from error

    async def ping(self) -> bool:
        """Return whether the idle process answers; one that does not is gone then."""
        if self.child is None:
            return False
        try:
            await self.child.ask({PING: True}, seconds=self.limits.silence_s)
        except ChildDiedError:
            return False
        return True

    async def adopt_successor(self) -> None:
        """Replace the idle process by its started successor, if there is one."""
        successor, self.successor = self.successor, None
        if successor is None:
            return
        self.is_being_renewed = False
        previous, self.child = self.child, successor
        if previous is not None:
            await previous.end()

    async def end(self) -> None:
        """End the process and its successor."""
        for child in (self.child, self.successor):
            if child is not None:
                await child.end()
