"""Jobs of many pages while their processes are killed: each page has one outcome, and none is read twice."""

import asyncio
import contextlib
import io
import signal
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from tests.faults.conftest import Tally
from tests.parts.pages import draw_page, random_lines
from tests.parts.postgres import PostgresServer
from tests.parts.processes import free_port
from tests.parts.world import Pace, World, world

pytestmark = pytest.mark.asyncio(loop_scope="module")
IN_BACKGROUND = {"Prefer": "respond-async"}
PAGES = 60


def notebook(pages: int, seed: int = 0) -> bytes:
    """Return a PDF of drawn pages with three lines each."""
    images = []
    for number in range(pages):
        with Image.open(io.BytesIO(draw_page(random_lines(3, seed=seed + number)))) as page:
            images.append(page.convert("L"))
    target = io.BytesIO()
    images[0].save(target, "PDF", save_all=True, append_images=images[1:], resolution=300)
    return target.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Run the system with a gateway and a recognizer, and without a worker."""
    async with world(
        tmp_path_factory.mktemp("jobs"), postgres, workers=0, pace=Pace(lease=3, sweep=1.0)
    ) as running:
        await running.serve("recognizer")
        await running.serve_gateway(free_port())
        yield running


class Client:
    """A user's client; it repeats requests while the gateway is down, as the README advises."""

    def __init__(self, system: World, key: str) -> None:
        """Take the system and the user's key."""
        url = f"http://127.0.0.1:{system.programs['gateway'].environment['KETAV_PORT']}"
        self.http = httpx.AsyncClient(base_url=url, headers={"X-API-Key": key}, timeout=60)

    async def get(self, path: str) -> Any:
        """Return the JSON of a path."""
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                response = await self.http.get(path)
                if response.status_code == httpx.codes.OK:
                    return response.json()
            await asyncio.sleep(0.1)
        raise AssertionError(f"{path} was never served")

    async def start(self, pages: int, seed: int = 0) -> dict[str, Any]:
        """Send a notebook to be read in the background; return the job."""
        files = {"file": ("notebook.pdf", notebook(pages, seed))}
        response = await self.http.post("/ocr/", files=files, headers=IN_BACKGROUND)
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        job: dict[str, Any] = response.json()
        assert response.headers["location"] == f"/jobs/{job['job_id']}"
        return job

    async def until(self, job_id: str, pages: int, seconds: float = 240) -> dict[str, Any]:
        """Wait until so many pages of a job have an outcome; return the job."""
        async with asyncio.timeout(seconds):
            while True:
                job: dict[str, Any] = await self.get(f"/jobs/{job_id}")
                if job["pages_read"] + job["pages_failed"] >= pages:
                    return job
                await asyncio.sleep(0.1)


@pytest_asyncio.fixture(loop_scope="module")
async def client(system: World) -> AsyncIterator[Client]:
    """Return a client of a new user."""
    connected = Client(system, await system.new_key("notebook"))
    yield connected
    await connected.http.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def workers(system: World) -> AsyncIterator[list[Any]]:
    """Run two workers, and remove all that the test has."""
    started = [system.add_job_worker() for _ in range(2)]
    yield started
    for worker in list(system.workers):
        system.remove_worker(worker)


async def readings(system: World, project_id: str) -> list[int]:
    """Return the number of transcriptions of each page of a project."""
    rows = await system.owner.fetch("SELECT readings FROM page WHERE project_id = $1", UUID(project_id))
    return [row["readings"] for row in rows]


async def test_sixty_pages_survive_the_death_of_gateway_recognizer_and_workers(
    system: World, client: Client, workers: list[Any], tally: Tally
) -> None:
    """Each is killed once in the middle, one worker is paused past its lease: 60 outcomes, none twice."""
    job = await client.start(PAGES)
    began = time.monotonic()
    await client.until(job["job_id"], 5)
    system.programs["gateway"].kill()
    await asyncio.sleep(1)
    await system.serve_gateway(int(system.programs["gateway"].environment["KETAV_PORT"]))
    await client.until(job["job_id"], 12)
    system.programs["recognizer"].kill()
    await asyncio.sleep(1)
    await system.serve("recognizer")
    await client.until(job["job_id"], 20)
    workers[0].kill()
    system.add_job_worker()
    await client.until(job["job_id"], 28)
    workers[1].send(signal.SIGSTOP)
    await asyncio.sleep(2 * system.pace.lease)
    workers[1].send(signal.SIGCONT)
    ended = await client.until(job["job_id"], PAGES)
    assert (ended["state"], ended["pages_read"]) == ("succeeded", PAGES), ended
    assert await readings(system, job["project_id"]) == [1] * PAGES
    assert len({page["image_id"] for page in ended["pages"]}) == PAGES
    tally.add("pages of a job read once each while gateway, recognizer and workers were killed", PAGES)
    tally.time("a job of 60 pages with four faults", time.monotonic() - began)


async def test_a_job_starts_and_ends_while_redis_is_down(
    system: World, client: Client, workers: list[Any]
) -> None:
    """The workers sweep; those that are started meanwhile read, too."""
    system.queue.stop()
    try:
        job = await client.start(4, seed=100)
        ended = await client.until(job["job_id"], 4, seconds=60)
        assert ended["state"] == "succeeded"
        for worker in workers:
            system.remove_worker(worker)
        system.add_job_worker()
        job = await client.start(3, seed=110)
        assert (await client.until(job["job_id"], 3, seconds=60))["state"] == "succeeded"
    finally:
        system.queue.start()


async def test_a_cancelled_job_ends_with_what_was_read(
    system: World, client: Client, workers: list[Any]
) -> None:
    """No page is read after the page that was being read."""
    job = await client.start(30, seed=200)
    await client.until(job["job_id"], 3)
    response = await client.http.post(f"/jobs/{job['job_id']}/cancel")
    assert response.status_code == httpx.codes.OK
    ended: dict[str, Any] = {}

    async def over() -> bool:
        """Look at the job."""
        ended.update(await client.get(f"/jobs/{job['job_id']}"))
        return bool(ended["state"] == "cancelled")

    await system.until(over, "the end of the cancelled job", 30)
    states = [page["state"] for page in ended["pages"]]
    assert states.count("cancelled") >= 20
    assert states.count("read") == ended["pages_read"] == sum(await readings(system, job["project_id"]))


async def test_a_second_user_does_not_wait_for_the_notebook_of_the_first(
    system: World, client: Client, workers: list[Any]
) -> None:
    """Nor does a page that a user waits for."""
    long = await client.start(40, seed=300)
    await client.until(long["job_id"], 2)
    second = Client(system, await system.new_key("letter"))
    short = await second.start(3, seed=400)
    with Image.open(io.BytesIO(draw_page(random_lines(3, seed=7)))) as page:
        single = io.BytesIO()
        page.save(single, "PNG")
    now = await second.http.post("/ocr/", files={"file": ("page.png", single.getvalue())})
    assert now.status_code == httpx.codes.CREATED, now.text
    await second.until(short["job_id"], 3)
    first = await client.get(f"/jobs/{long['job_id']}")
    assert first["pages_read"] <= 20, "the second user waited for the first"
    await client.http.post(f"/jobs/{long['job_id']}/cancel")
    await second.http.aclose()


async def test_a_stopped_worker_returns_its_page_and_ends(
    system: World, client: Client, workers: list[Any]
) -> None:
    """SIGTERM: the page in progress is finished, nothing else is claimed, the status is 0."""
    job = await client.start(10, seed=500)
    await client.until(job["job_id"], 2)
    for worker in workers:
        worker.send(signal.SIGTERM)
        assert worker.process is not None
        assert await asyncio.to_thread(worker.process.wait, 30) == 0
    states = [page["state"] for page in (await client.get(f"/jobs/{job['job_id']}"))["pages"]]
    assert "running" not in states
    system.add_job_worker()
    assert (await client.until(job["job_id"], 10))["state"] == "succeeded"
    assert await readings(system, job["project_id"]) == [1] * 10


async def test_the_events_of_a_job_end_with_it(system: World, client: Client, workers: list[Any]) -> None:
    """Each event has all pages and a greater revision; a second stream after the last one is 204."""
    job = await client.start(3, seed=600)
    events = []
    async with client.http.stream("GET", f"/jobs/{job['job_id']}/events") as response:
        async for line in response.aiter_lines():
            events += [line.removeprefix("id: ")] if line.startswith("id: ") else []
    numbers = [int(event) for event in events]
    assert numbers == sorted(set(numbers))
    again = await client.http.get(f"/jobs/{job['job_id']}/events", headers={"Last-Event-ID": events[-1]})
    assert again.status_code == httpx.codes.NO_CONTENT
    assert (await client.get(f"/jobs/{job['job_id']}"))["state"] == "succeeded"
