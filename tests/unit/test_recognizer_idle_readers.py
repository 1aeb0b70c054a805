"""Requests of users get a reader before those of jobs, and no reader is lost."""

import asyncio

from ketav_recognizer.idle_readers import IdleReaders, Turn


async def waiting(
    readers: IdleReaders[str], names: list[str], served: list[str], **seconds_of_users: float
) -> list[asyncio.Task[None]]:
    """Start requests in this order: those of jobs have names that begin with `job`."""
    seconds = {name: seconds_of_users.get(name.partition(":")[0], 1.0) for name in names}

    async def take(name: str) -> None:
        """Wait for a reader, and write down whose request got it."""
        await readers.get(Turn(name.partition(":")[0], name.startswith("job"), seconds.get(name, 1.0)))
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
    assert len(readers._last_ends) <= 3


async def test_a_user_whose_turns_are_over_is_forgotten() -> None:
    """Memory is bounded by the requests that wait."""
    readers: IdleReaders[str] = IdleReaders()
    for number in range(50):
        await waiting(readers, [f"user {number}:1", f"user {number}:2"], [])
        await serve(readers, 2)
    assert len(readers._last_ends) <= 2


async def test_an_idle_reader_is_taken_at_once() -> None:
    """By either kind; it is offered once."""
    readers: IdleReaders[str] = IdleReaders()
    readers.put("reader")
    assert await readers.get(Turn(batch=True)) == "reader"
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


async def test_a_user_s_lines_wait_for_one_page_of_another_user_at_most() -> None:
    """Turns are by seconds: twenty lines are read before the second of the pages that were sent earlier."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    await waiting(readers, ["ann:1", "ann:2", "ann:3"], served, ann=2.0)
    await serve(readers, 1)
    lines = [f"ben:{number}" for number in range(20)]
    await waiting(readers, lines, served, ben=0.1)
    await serve(readers, 22)
    assert served == ["ann:1", *lines, "ann:2", "ann:3"]


async def test_lines_that_never_end_leave_pages_their_share() -> None:
    """A page is read after as many seconds of another user's lines."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    await waiting(readers, ["ben:0", *(f"ben:{number}" for number in range(1, 60))], served, ben=0.1)
    await waiting(readers, ["ann:1"], served, ann=2.0)
    await serve(readers, 30)
    assert "ann:1" in served


async def test_a_request_that_took_longer_than_expected_costs_its_user_later_turns() -> None:
    """The seconds of noise are its sender's."""
    readers: IdleReaders[str] = IdleReaders()
    served: list[str] = []
    await waiting(readers, ["eve:1"], served)
    await serve(readers, 1)
    readers.charge(Turn("eve"), 5.0)
    await waiting(readers, ["eve:2", "ann:1", "ann:2", "ann:3", "ann:4", "ann:5"], served)
    await serve(readers, 6)

    assert served[-1] == "eve:2"
