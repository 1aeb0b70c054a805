"""Reader processes: a death fails one request, the queue is bounded, cancelled requests leave it."""

import asyncio
import hashlib
import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image, ImageDraw

from ketav_common.errors import InvalidInput, RateLimited, Unavailable
from ketav_engine.budgets import TOO_MANY_LINES, PageBudgets
from ketav_engine.domain import ReadPage
from ketav_recognizer.domain import ReaderConfig, ReadingTask, Refusal
from ketav_recognizer.pool import PoolLimits, ReaderPool
from ketav_recognizer.reader_process import ReaderLimits
from ketav_testing import tiny


def page(lines: int = 3) -> bytes:
    """Draw a page with as many lines of bars and return it as PNG."""
    image = Image.new("L", (400, 60 * lines + 40), 255)
    draw = ImageDraw.Draw(image)
    for line in range(lines):
        for letter in range(8):
            draw.rectangle((40 + 40 * letter, 30 + 60 * line, 60 + 40 * letter, 60 + 60 * line), fill=0)
    target = io.BytesIO()
    image.save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model file of the tiny engine."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(tiny.save())
    return path


def task(model: Path, image: bytes | None = None) -> ReadingTask:
    """Return a task over a page with a model file."""
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    return ReadingTask(page() if image is None else image, "page", str(model), digest)


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail("the condition never held")


OpenPool = Callable[..., AbstractAsyncContextManager[ReaderPool]]


@pytest.fixture
def open_pool() -> OpenPool:
    """Return a function that opens a pool with warm readers of the tiny engine."""

    @asynccontextmanager
    async def opened(
        readers: int = 1, queue: int = 4, page_s: float = 20, memory: int = 0, **limits: Any
    ) -> AsyncIterator[ReaderPool]:
        """Open a pool, wait until a reader is warm, and close it in the end."""
        of_reader = replace(ReaderLimits(page_s=page_s, silence_s=10), **limits)
        config = ReaderConfig("tiny", 2, memory, budgets=PageBudgets(lines=20, lines_per_megapixel=0))
        pool = ReaderPool(config, PoolLimits(readers, queue, of_reader))
        pool.start()
        try:
            await until(lambda: pool.is_ready and pool.pids)
            yield pool
        finally:
            await pool.close()

    return opened


async def test_a_page_is_read_by_another_process(open_pool: OpenPool, model: Path) -> None:
    """The answer is the engine's page, and the process that gave it is not this one."""
    async with open_pool() as pool:
        answer = await pool.read(task(model))
        assert isinstance(answer, ReadPage)
        assert len(answer.lines) == 3
        assert pool.pids != [os.getpid()]


async def test_a_killed_reader_fails_its_request_only_and_the_next_one_is_answered(
    open_pool: OpenPool, model: Path
) -> None:
    """SIGKILL while reading gives Unavailable; a successor answers the same page."""
    async with open_pool() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        reading = asyncio.create_task(pool.read(task(model)))
        await asyncio.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unavailable):
            await reading
        assert isinstance(await pool.read(task(model)), ReadPage)
        assert pool.pids != [pid]


async def test_a_reader_killed_while_idle_costs_no_request(open_pool: OpenPool, model: Path) -> None:
    """The pool notices before it hands out work."""
    async with open_pool() as pool:
        os.kill(pool.pids[0], signal.SIGKILL)
        await until(lambda: not pool.pids)
        assert isinstance(await pool.read(task(model)), ReadPage)


async def test_a_reader_that_takes_too_long_is_killed_and_replaced(open_pool: OpenPool, model: Path) -> None:
    """A stopped reader, even with a task too long for the socket's buffer, ends at the time limit."""
    async with open_pool(page_s=0.3) as pool:
        os.kill(pool.pids[0], signal.SIGSTOP)
        with pytest.raises(Unavailable):
            await pool.read(task(model, page() + bytes(8 * 1024 * 1024)))
        assert isinstance(await pool.read(task(model)), ReadPage)


async def test_a_reader_that_hangs_is_replaced_long_before_its_page_is_due(
    open_pool: OpenPool, model: Path
) -> None:
    """A process that is stopped sends no heartbeat; its caller gets an answer and the next one is read."""
    async with open_pool(page_s=600, silence_s=1.5) as pool:
        os.kill(pool.pids[0], signal.SIGSTOP)
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable) as refused:
                await pool.read(task(model))
            assert refused.value.retry_after
            assert isinstance(await pool.read(task(model)), ReadPage)


async def test_a_reader_that_hangs_while_idle_is_replaced_before_a_request_needs_it(
    open_pool: OpenPool, model: Path
) -> None:
    """Idle readers answer a ping each second, or are replaced."""
    async with open_pool(page_s=600, silence_s=1.5) as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: pool.pids and pool.pids != [pid])
        assert isinstance(await pool.read(task(model)), ReadPage)


async def test_a_page_that_takes_longer_than_the_silence_limit_is_read_to_its_end(
    open_pool: OpenPool, model: Path
) -> None:
    """Heartbeats keep the reader alive while it works."""
    async with open_pool(silence_s=1.5) as pool:
        (pid,) = pool.pids
        large = Image.new("L", (6000, 6000), 255)
        target = io.BytesIO()
        large.save(target, "PNG", compress_level=1)
        reads = [pool.read(task(model, target.getvalue())) for _ in range(6)]
        assert all(isinstance(answer, ReadPage) for answer in await asyncio.gather(*reads))
        assert pool.pids == [pid]


async def test_a_line_has_less_time_than_a_page(open_pool: OpenPool, model: Path) -> None:
    """The deadline follows from what is read."""
    async with open_pool(page_s=600, line_s=0.3, silence_s=60) as pool:
        os.kill(pool.pids[0], signal.SIGSTOP)
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable):
                await pool.read(replace(task(model), layout="line"))


async def test_a_user_whose_images_end_readers_is_slowed_however_they_differ(
    open_pool: OpenPool, model: Path
) -> None:
    """One changed byte makes another image, but not another user; other users are read at once."""
    async with open_pool(page_s=0.3) as pool:
        for number in range(3):
            await until(lambda: pool.pids)
            assert isinstance(await pool.read(task(model)), ReadPage)
            os.kill(pool.pids[0], signal.SIGSTOP)
            deadly = replace(task(model, page() + bytes((number,))), user="eve")
            with pool.slot("eve"), pytest.raises(Unavailable):
                await pool.read(deadly)
        with pytest.raises(RateLimited) as slowed, pool.slot("eve"):
            pass
        assert slowed.value.code == "costly-images"
        assert slowed.value.retry_after
        with pool.slot("ann"):
            assert isinstance(await pool.read(replace(task(model), user="ann")), ReadPage)


async def test_a_user_whose_pages_use_up_their_budgets_is_slowed(open_pool: OpenPool, model: Path) -> None:
    """Each page is read as far as its budget goes, with a warning; after some of them the user waits."""
    async with open_pool() as pool:
        pages = 0
        with pytest.raises(RateLimited) as slowed:
            while pages < 20:
                with pool.slot("eve"):
                    answer = await pool.read(replace(task(model, page(lines=40)), user="eve"))
                assert isinstance(answer, ReadPage)
                assert answer.warnings == (TOO_MANY_LINES,)
                assert len(answer.lines) < 40
                pages += 1
        assert slowed.value.code == "costly-images"
        assert pages == 5
        with pool.slot("ann"):
            answer = await pool.read(replace(task(model), user="ann"))
        assert isinstance(answer, ReadPage)
        assert answer.warnings == ()


async def test_a_reader_with_too_much_memory_is_renewed_without_a_failed_request(
    open_pool: OpenPool, model: Path
) -> None:
    """It reads until its successor is ready."""
    async with open_pool(resident_bytes=1) as pool:
        before = pool.pids
        for _ in range(3):
            assert isinstance(await pool.read(task(model)), ReadPage)
        await until(lambda: pool.pids and pool.pids != before)
        assert isinstance(await pool.read(task(model)), ReadPage)
        assert len(pool.pids) == 1
    await until(lambda: not any(psutil.pid_exists(pid) for pid in before))


async def test_an_image_over_which_readers_died_twice_is_refused(open_pool: OpenPool, model: Path) -> None:
    """The third time it is refused before it reaches a reader; other images are read."""
    async with open_pool(page_s=0.3) as pool:
        poison = task(model, page(1))
        for _ in range(2):
            assert isinstance(await pool.read(task(model)), ReadPage)
            os.kill(pool.pids[0], signal.SIGSTOP)
            with pytest.raises(Unavailable):
                await pool.read(poison)
        with pytest.raises(InvalidInput):
            await pool.read(poison)
        assert isinstance(await pool.read(task(model)), ReadPage)


async def test_a_reader_out_of_memory_dies_alone(open_pool: OpenPool, model: Path) -> None:
    """An image larger than the address space allows fails with Unavailable, a small one is read."""
    async with open_pool(memory=1024**3) as pool:
        target = io.BytesIO()
        Image.new("RGB", (7000, 7000)).save(target, "PNG", compress_level=1)
        large = Image.open(io.BytesIO(target.getvalue()))
        assert large.size == (7000, 7000)
        with pytest.raises(Unavailable):
            await asyncio.gather(*(pool.read(task(model, target.getvalue())) for _ in range(2)))
        assert isinstance(await pool.read(task(model)), ReadPage)


async def test_the_queue_is_bounded(open_pool: OpenPool) -> None:
    """As many places as readers and queue have; one more is refused, and a left place is free again."""
    async with open_pool(readers=1, queue=1) as pool:
        with pool.slot():
            with pool.slot(), pytest.raises(RateLimited), pool.slot():
                pass
            with pool.slot():
                pass


async def test_no_user_fills_the_queue_alone(open_pool: OpenPool) -> None:
    """A quarter of it stays free for others."""
    async with open_pool(readers=1, queue=4) as pool:
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(pool.slot("ann"))
            with pytest.raises(RateLimited):
                stack.enter_context(pool.slot("ann"))
            with pool.slot("ben"):
                pass
        with pool.slot("ann"):
            pass


async def test_a_request_cancelled_in_the_queue_never_reaches_a_reader(
    open_pool: OpenPool, model: Path
) -> None:
    """A request waits behind a stopped reader and is cancelled: the reader answers the first and is free."""
    async with open_pool() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        first = asyncio.create_task(pool.read(task(model)))
        second = asyncio.create_task(pool.read(task(model, b"never decoded")))
        await asyncio.sleep(0.1)
        second.cancel()
        os.kill(pid, signal.SIGCONT)
        assert isinstance(await first, ReadPage)
        with pytest.raises(asyncio.CancelledError):
            await second
        assert isinstance(await pool.read(task(model)), ReadPage)
        assert pool.pids == [pid]


async def test_a_reader_whose_caller_left_is_free_again(open_pool: OpenPool, model: Path) -> None:
    """A request that is cancelled while it is read gives its reader back once the page is done."""
    async with open_pool() as pool:
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        left = asyncio.create_task(pool.read(task(model)))
        await asyncio.sleep(0.1)
        left.cancel()
        os.kill(pid, signal.SIGCONT)
        assert isinstance(await pool.read(task(model)), ReadPage)
        assert pool.pids == [pid]


@pytest.mark.parametrize(
    ("image", "kind"), [(b"", "image"), (b"\x89PNG\r\n\x1a\n", "image"), (b"%PDF-1.7", "image")]
)
async def test_an_unusable_image_is_refused_by_a_living_reader(
    open_pool: OpenPool, model: Path, image: bytes, kind: str
) -> None:
    """What cannot be decoded is a refusal, and the process lives on."""
    async with open_pool() as pool:
        before = pool.pids
        answer = await pool.read(task(model, image))
        assert isinstance(answer, Refusal)
        assert answer.kind == kind
        assert pool.pids == before


async def test_a_damaged_or_missing_cached_file_is_distinguished_from_an_unusable_model(
    open_pool: OpenPool, model: Path
) -> None:
    """A file that is gone or altered may be fetched again; one that never was a model may not."""
    async with open_pool() as pool:
        altered = await pool.read(replace(task(model), model_sha256="0" * 64))
        missing = await pool.read(replace(task(model), model_path="/nowhere"))
        await asyncio.to_thread(model.write_bytes, b"not a model")
        useless = await pool.read(task(model))
    assert [getattr(answer, "kind", None) for answer in (altered, missing, useless)] == [
        "cache",
        "cache",
        "model",
    ]


async def test_readers_know_none_of_the_service_s_secrets(
    open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that decodes strangers' bytes has no secret in its environment and one thread a library."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", "s" * 40)
    async with open_pool() as pool:
        environment = psutil.Process(pool.pids[0]).environ()
    assert not [name for name in environment if name.startswith("KETAV_")]
    assert environment["OMP_NUM_THREADS"] == "1"


async def test_closing_leaves_no_process(open_pool: OpenPool) -> None:
    """After the pool is closed its readers are gone."""
    async with open_pool(readers=2) as pool:
        pids = pool.pids
    assert pids
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
