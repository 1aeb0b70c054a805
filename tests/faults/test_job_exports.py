"""Exports in the background while gateways are killed and paused: each has one outcome and one file."""

import asyncio
import io
import signal
import zipfile
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from tests.faults.conftest import Tally
from tests.faults.test_jobs import Client, system
from tests.parts.processes import free_port
from tests.parts.world import World

__all__ = ["system"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
IN_BACKGROUND = {"Prefer": "respond-async"}
PAGES = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notebook(system: World) -> AsyncIterator[tuple[Client, str]]:
    """Read a notebook; yield its user's client and its project."""
    client = Client(system, await system.new_key("exporter"))
    worker = system.add_job_worker()
    job = await client.start(PAGES, seed=900)
    await client.until(job["job_id"], PAGES)
    system.remove_worker(worker)
    yield client, job["project_id"]
    await client.http.aclose()


async def start(client: Client, project_id: str, kind: str) -> str:
    """Create an export with images; return the id of its job."""
    path = f"/projects/{project_id}/export?format={kind}&images=true"
    response = await client.http.get(path, headers=IN_BACKGROUND)
    assert response.status_code == 202, response.text
    return str(response.json()["job_id"])


async def running(system: World, job_id: str) -> None:
    """Wait until a gateway writes the export."""
    query = "SELECT state FROM job WHERE id = $1"

    async def is_running() -> bool:
        """Look at the row: a request would take longer than some exports."""
        return bool(await system.owner.fetchval(query, UUID(job_id)) == "running")

    await system.until(is_running, "a claim of the export", 30, pause=0.005)


async def ended(client: Client, job_id: str) -> dict[str, Any]:
    """Wait until the export has ended; return the job."""
    async with asyncio.timeout(90):
        while True:
            job: dict[str, Any] = await client.get(f"/jobs/{job_id}")
            if job["state"] not in {"queued", "running"}:
                return job
            await asyncio.sleep(0.1)


async def check(system: World, client: Client, job_id: str, fence: int) -> None:
    """Check that an export has one whole file, written by the claim with this fence."""
    file = (await client.http.get(f"/jobs/{job_id}/export")).content
    archive = zipfile.ZipFile(io.BytesIO(file))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 2 * PAGES
    row = await system.owner.fetchrow("SELECT * FROM job_export WHERE job_id = $1", UUID(job_id))
    assert row is not None
    assert (row["fence"], row["result_key"].rpartition("/")[2]) == (fence, str(fence))
    stored = [path for path in (system.blobs / "exports").glob(f"*/{job_id}/*") if path.is_file()]
    assert [path.name for path in stored] == [str(fence)]


async def test_an_export_survives_the_death_of_its_gateway(
    system: World, notebook: tuple[Client, str], tally: Tally
) -> None:
    """Killed while it writes, three times over; the next one writes the export again, once."""
    client, project_id = notebook
    gateway = system.programs["gateway"]
    for kind in ("page", "alto", "hocr"):
        job_id = await start(client, project_id, kind)
        await running(system, job_id)
        gateway.kill()
        assert not list((system.blobs / "exports").glob(f"*/{job_id}/*"))
        await system.serve_gateway(int(gateway.environment["KETAV_PORT"]))
        job = await ended(client, job_id)
        assert (job["state"], job["pages_read"]) == ("succeeded", PAGES), job
        await check(system, client, job_id, fence=2)
        tally.add("exports with one outcome after the death of their gateway", 1)


async def test_a_gateway_that_wakes_up_after_its_lease_changes_nothing(
    system: World, notebook: tuple[Client, str]
) -> None:
    """Another one has written the export meanwhile; the file is that one's."""
    client, project_id = notebook
    first = system.programs["gateway"]
    port = free_port()
    job_id = await start(client, project_id, "json")
    await running(system, job_id)
    first.send(signal.SIGSTOP)
    second = system.program("gateway-2", "ketav_gateway.main", KETAV_PORT=str(port)).start()
    try:
        query = "SELECT state FROM job WHERE id = $1"

        async def is_written() -> bool:
            """Look at the row: the gateway of the client is paused."""
            return bool(await system.owner.fetchval(query, UUID(job_id)) == "succeeded")

        await system.until(is_written, "the end of the export", 60)
    finally:
        first.send(signal.SIGCONT)
    await asyncio.sleep(2)
    await check(system, client, job_id, fence=2)
    second.kill()
