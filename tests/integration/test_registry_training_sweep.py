"""The sweep: abandoned runs are queued again, and runs of the users who are due are queued."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from ketav.registry.v1 import pages_pb2, training_pb2
from ketav.registry.v1 import training_pb2 as pb
from ketav_common import rpc
from ketav_common.errors import (
    NotFound,
)
from ketav_registry.domain.corrections import Correction
from ketav_registry.domain.models import Script
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import RequestKey
from ketav_registry.repository import corrections, ground_truth, pages, transcriptions
from ketav_registry.usecases.training_sweep import sweep_training_runs
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    cancel_run,
    claim,
    claiming,
    correct,
    create,
    expire_lease,
    get_run,
    queued_run,
    record,
    registry_server,
    runs_of,
    sweep_runs,
)

_LOCK = "SELECT pg_advisory_lock(hashtextextended($1, 0))"


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def sweep(registry: Registry, queueing_s: float = 60) -> set[UUID]:
    """Sweep with a timeout for queueing due runs; return the queued runs."""
    return set(await sweep_training_runs(stores=registry.stores, queueing_s=queueing_s))


async def queued_of(registry: Registry, user_id: UUID, runs: set[UUID]) -> list[UUID]:
    """Return the runs that belong to a user."""
    belonging = []
    for run_id in runs:
        request = pb.GetTrainingRunRequest(run_id=str(run_id))
        with acting(user_id), contextlib.suppress(NotFound), rpc.raise_ketav_errors():
            await registry.training.GetTrainingRun(request)
            belonging.append(run_id)
    return belonging


async def due_user(registry: Registry) -> UUID:
    """Return a user with enough ground truth and no run."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    return user_id


async def test_a_sweep_ends_in_time_and_a_blocked_user_does_not_block_the_others(
    registry: Registry, postgres: PostgresServer
) -> None:
    """One user's lock is held: queued runs are returned, and due users are processed in random order."""
    _, waiting = await queued_run(registry)
    stuck, due = await due_user(registry), await due_user(registry)
    other = await asyncpg.connect(postgres.url(registry.database))
    try:
        await other.execute(_LOCK, str(stuck))
        due_runs: list[UUID] = []
        with capture_logs() as logs:
            for _ in range(30):
                began = time.monotonic()
                runs = await sweep(registry, 0.5)
                assert time.monotonic() - began < 5
                assert UUID(waiting) in runs
                due_runs = await queued_of(registry, due, runs)
                if due_runs:
                    break
        assert len(due_runs) == 1
    finally:
        await other.close()
    timeouts = [entry for entry in logs if entry["event"] == "queueing_timed_out"]
    assert timeouts
    assert all(entry["log_level"] == "warning" for entry in timeouts)
    assert await queued_of(registry, stuck, await sweep(registry))


async def read_page(registry: Registry, user_id: UUID, number: int) -> Page:
    """Upload and read a page of eight lines; return it."""
    with acting(user_id):
        page = (await create(registry, IMAGE[:2000] + bytes([number]))).page
        await record(registry, page, *(f"שורה {i}" for i in range(8)))
    async with registry.stores.database.user(user_id) as transaction:
        stored = await pages.find_page(transaction, user_id, UUID(page.page_id), UUID(page.project_id))
        assert stored is not None
        return (await transcriptions.with_transcriptions(transaction, user_id, [stored]))[0]


async def test_two_concurrent_sets_of_corrections_on_two_pages_count_together(registry: Registry) -> None:
    """Each counted without the eight lines of the other; the sweep counts sixteen."""
    user_id = await registry.new_user()
    pages = [await read_page(registry, user_id, number) for number in range(2)]
    database = registry.stores.database
    async with database.user(user_id) as one, database.user(user_id) as other:
        for transaction, page in zip((one, other), pages, strict=True):
            assert page.transcription is not None
            lines = page.transcription.lines
            accepted = [Correction(line.line_id, line.text) for line in lines if line.line_id]
            request = RequestKey()
            saved = await corrections.insert_feedback(transaction, user_id, page, accepted, (), request)
            assert saved is not None
            assert saved.ground_truth_lines == 8
    async with database.user(user_id) as transaction:
        counts = await ground_truth.count_verified(transaction, user_id)
    assert counts == {Hand(Script.MODERN_CURSIVE): 16}
    assert len(await queued_of(registry, user_id, await sweep(registry))) == 1


async def test_the_sweep_queues_a_run_of_a_user_who_is_due_once(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Due with 16 lines; not due with the same lines after the run; due with one more line after a week."""
    user_id = await registry.new_user()
    with acting(user_id):
        pages = await correct(registry, 8)
    due_runs = await runs_of(registry, user_id, await sweep_runs(registry))
    assert len(due_runs) == 1
    await cancel_run(registry, user_id, due_runs[0])
    assert not await runs_of(registry, user_id, await sweep_runs(registry))
    query = "UPDATE training_run SET created_at = now() - $2::interval WHERE id = $1"
    await asyncio.to_thread(postgres.execute, query, database, UUID(due_runs[0]), timedelta(days=8))
    assert not await runs_of(registry, user_id, await sweep_runs(registry))
    with acting(user_id):
        page = pages_pb2.Page(page_id=pages[0])
        await record(registry, page, "שורה")
        await correct(registry, 1, pages=1)
    assert await runs_of(registry, user_id, await sweep_runs(registry))


async def test_an_abandoned_run_is_queued_again_and_fails_after_five_attempts(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The sweep finds expired leases; a run that kills each of its workers ends."""
    user_id, run_id = await queued_run(registry)
    for _ in range(5):
        assert run_id in await sweep_runs(registry)
        await claim(registry, run_id)
        assert run_id not in await sweep_runs(registry)
        await expire_lease(postgres, database, run_id)
    assert run_id not in await sweep_runs(registry)
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.attempts) == (training_pb2.TRAINING_RUN_STATE_FAILED, 5)
    assert run.verdict


async def test_a_run_yields_once_to_a_run_that_was_interrupted(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The newest one in its first attempt does, when no worker is free; the interrupted run goes first."""
    _, interrupted = await queued_run(registry)
    await claim(registry, interrupted)
    older, newer = [(await queued_run(registry))[1] for _ in range(2)]
    fences = {run_id: (await claim(registry, run_id)).fence for run_id in (older, newer)}

    async def yields(run_id: str) -> bool:
        """Report progress of a run; return whether it must go back to the queue."""
        request = pb.ReportTrainingProgressRequest(
            run_id=run_id, fence=fences[run_id], state=pb.TRAINING_RUN_STATE_RUNNING, epoch=1, epochs=10
        )
        with claiming(request), rpc.raise_ketav_errors():
            return (await registry.training.ReportTrainingProgress(request)).yield_requested

    await expire_lease(postgres, database, interrupted)
    assert interrupted in await sweep_runs(registry)
    assert not await yields(newer)  # a free worker gets some seconds to claim it
    wait = "UPDATE training_run SET updated_at = updated_at - interval '6 seconds' WHERE id = $1"
    await asyncio.to_thread(postgres.execute, wait, database, UUID(interrupted))
    assert [await yields(run_id) for run_id in (older, newer)] == [False, True]
    end = pb.EndTrainingRunRequest(run_id=newer, fence=fences[newer], state=pb.TRAINING_RUN_STATE_QUEUED)
    with claiming(end), rpc.raise_ketav_errors():
        await registry.training.EndTrainingRun(end)
        swept = await registry.training.SweepTrainingRuns(pb.SweepTrainingRunsRequest())
    assert [run_id for run_id in swept.run_ids if run_id in {interrupted, newer}] == [interrupted, newer]
    fences[newer] = (await claim(registry, newer)).fence
    assert not await yields(newer)
    await claim(registry, interrupted)
    assert not await yields(older)
