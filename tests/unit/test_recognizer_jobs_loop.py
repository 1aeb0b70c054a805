"""The loop of a worker: the failure of a page is its own, and the failure of a task ends the worker."""

import asyncio
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import jobs_pb2
from ketav_common import rpc
from ketav_common.errors import NotFound, Unavailable
from ketav_common.images import ImageNormaliser
from ketav_recognizer.jobs import Dependencies
from ketav_recognizer.jobs_documents import Documents
from ketav_recognizer.jobs_domain import Failure, failure_of
from ketav_recognizer.jobs_loop import JobLoop
from ketav_recognizer.jobs_registry import JobClient
from tests.parts.gateway import gateway_settings, services_in_memory
from tests.parts.identities import SIGNER
from tests.parts.in_memory import State


class Queue:
    """The registry's part of a worker's calls: pages to claim, and the outcomes that were recorded."""

    def __init__(
        self, pages: int, *, claiming: Exception | None = None, sweeping: Exception | None = None
    ) -> None:
        """Take the number of pages, and errors that a claim and a sweep raise."""
        self.pages = pages
        self.claiming = claiming
        self.sweeping = sweeping
        self.outcomes: list[Any] = []
        self.emptied = asyncio.Event()

    async def claim(self) -> jobs_pb2.ClaimedJobPage | None:
        """Return the next page; None when none is left."""
        if self.claiming is not None:
            raise self.claiming
        if not self.pages:
            self.emptied.set()
            return None
        self.pages -= 1
        return jobs_pb2.ClaimedJobPage(
            job_id=str(uuid4()), position=1, page_id=str(uuid4()), lease_seconds=30
        )

    async def end(self, claimed: object, page_id: str, outcome: object) -> jobs_pb2.Job:
        """Remember an outcome."""
        self.outcomes.append(outcome)
        return jobs_pb2.Job(state=jobs_pb2.JOB_STATE_RUNNING)

    async def sweep(self) -> int:
        """Return that no page waits."""
        if self.sweeping is not None:
            raise self.sweeping
        return 0


def job_loop(queue: Queue, folder: Path) -> JobLoop:
    """Return a loop of two readers over a queue, with its files in a folder."""
    client = cast("JobClient", queue)
    images = ImageNormaliser(workers=1, timeout_s=5, memory_bytes=1 << 30)
    dependencies = Dependencies(client, images, Documents(folder, client, 1), folder, 5.0, asyncio.Event())
    return JobLoop(dependencies, pages_at_once=2, sweep_s=0.05)


async def test_a_page_whose_files_cannot_be_written_fails_and_the_next_one_is_claimed(
    tmp_path: Path,
) -> None:
    """The readers go on: three pages have an outcome, and each is tried again."""
    queue = Queue(3)
    loop = job_loop(queue, tmp_path / "absent")
    with capture_logs():
        running = asyncio.create_task(loop.run(1.0))
        await asyncio.wait_for(queue.emptied.wait(), 10)
        loop.stop()
        await running
    assert [isinstance(outcome, Failure) and outcome.retry for outcome in queue.outcomes] == [True] * 3


@pytest.mark.parametrize("task", ["claiming", "sweeping"])
async def test_a_task_that_fails_ends_the_worker(tmp_path: Path, task: str) -> None:
    """Its supervisor starts another one; a loop without readers or sweeps would stay up and do nothing."""
    loop = job_loop(Queue(0, **{task: RuntimeError(task)}), tmp_path)
    with pytest.raises(RuntimeError, match=task):
        await asyncio.wait_for(loop.run(1.0), 10)


async def test_a_model_that_is_tainted_before_the_recognition_is_asked_for_again(tmp_path: Path) -> None:
    """The recognizer has no such model any more: the next attempt gets the serving one from the registry."""
    state, settings = State(), gateway_settings(tmp_path)
    state.failures["RecognizePage"] = NotFound(
        "This account has no model with this SHA-256. Ask for the serving model again."
    )
    image = tmp_path / "image"
    image.write_bytes(b"image")
    async with (
        services_in_memory(tmp_path, state, settings),
        rpc.channel(settings.registry_address, SIGNER) as registry,
        rpc.channel(settings.recognizer_address, SIGNER) as recognizer,
    ):
        client = JobClient(registry, recognizer, worker="worker", recognize_s=5)
        claimed = jobs_pb2.ClaimedJobPage(user_id=str(uuid4()), job_id=str(uuid4()))
        with pytest.raises(Unavailable) as caught:
            await client.recognize(claimed, recognizer_pb2.RecognizePageHeader(size_bytes=5), image)
    failure = failure_of(caught.value)
    assert (failure.retry, failure.counts) == (True, False)
