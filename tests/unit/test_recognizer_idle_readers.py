"""Requests of users get a reader before those of jobs, and no reader is lost."""

import asyncio

from ketav_recognizer.idle_readers import IdleReaders


async def waiting(readers: IdleReaders[str], names: list[str], served: list[str]) -> list[asyncio.Task[None]]:
    """Start requests in this order: those of jobs have names that begin with `job`."""

    async def take(name: str) -> None:
        """Wait for a reader, and write down whose request got it."""
        await readers.get(name.partition(":")[0], batch=name.startswith("job"))
        served.append(name)

    tasks = [asyncio.create_task(take(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_requests_of_users_come_before_those_of_jobs() -> None:
    """Within a kind, earlier ones first."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    tasks = await waiting(readers, ["job 1", "job 2", "user 1", "user 2"], served)
    for _ in tasks:
        readers.put("reader")
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert served == ["user 1", "user 2", "job 1", "job 2"]


async def serve(readers: IdleReaders[str], count: int) -> None:
    """Offer a reader so many times."""
    for _ in range(count):
        readers.put("reader")
        await asyncio.sleep(0)


async def test_users_take_turns_however_many_requests_one_of_them_sends() -> None:
    """A request is served after one of each other user, not after all that were sent before it."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    await waiting(readers, ["ann:1", "ann:2", "ann:3", "ann:4"], served)
    await serve(readers, 1)
    await waiting(readers, ["ben:1", "ben:2", "eve:1"], served)
    await serve(readers, 6)
    assert served == ["ann:1", "ben:1", "eve:1", "ann:2", "ben:2", "ann:3", "ann:4"]
    await waiting(readers, ["eve:2", "ann:5", "ben:3"], served)  # rounds that are over give no user credit
    await serve(readers, 3)
    assert served[7:] == ["eve:2", "ben:3", "ann:5"]
    assert len(readers._last_rounds) <= 3


async def test_a_user_whose_turns_are_over_is_forgotten() -> None:
    """Memory is bounded by the requests that wait."""
    readers: IdleReaders[str] = IdleReaders()
    for number in range(50):
        await waiting(readers, [f"user {number}:1", f"user {number}:2"], [])
        await serve(readers, 2)
    assert len(readers._last_rounds) <= 2


async def test_an_idle_reader_is_taken_at_once() -> None:
    """By either kind; it is offered once."""
    readers: IdleReaders[str] = IdleReaders()
    readers.put("reader")
    assert await readers.get(batch=True) == "reader"
    assert readers.take_all() == []


async def test_a_cancelled_request_loses_no_reader() -> None:
    """Before it gets one it leaves the queue; one that it was given goes to the next request."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    first, second, third = await waiting(readers, ["user 1", "user 2", "job 1"], served)
    first.cancel()
    readers.put("reader")
    second.cancel()
    await asyncio.wait([first, second, third])
    assert served == ["job 1"]
    readers.put("reader")
    assert readers.take_all() == ["reader"]
