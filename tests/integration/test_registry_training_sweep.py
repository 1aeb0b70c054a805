"""The sweep of training runs on a real PostgreSQL: who is due gets a run, and every sweep ends in time."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from ketav.registry.v1 import training_pb2 as pb
from ketav_common import rpc
from ketav_common.errors import NotFound
from ketav_registry.domain.corrections import Correction
from ketav_registry.domain.models import Script
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import RequestKey
from ketav_registry.repository import corrections, ground_truth, pages, transcriptions
from ketav_registry.usecases.training_sweep import sweep_training_runs
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    correct,
    create,
    queued_run,
    record,
    registry_server,
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
    """Sweep with some seconds for asking who is due; return the queued runs."""
    return set(await sweep_training_runs(stores=registry.stores, queueing_s=queueing_s))


async def queued_of(registry: Registry, user_id: UUID, runs: set[UUID]) -> list[UUID]:
    """Return those of the runs that are a user's."""
    mine = []
    for run_id in runs:
        request = pb.GetTrainingRunRequest(run_id=str(run_id))
        with acting(user_id), contextlib.suppress(NotFound), rpc.translated():
            await registry.training.GetTrainingRun(request)
            mine.append(run_id)
    return mine


async def due_user(registry: Registry) -> UUID:
    """Return a user with enough ground truth and no run."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    return user_id


async def test_a_sweep_ends_in_time_with_the_queued_runs_and_nobody_starves(
    registry: Registry, postgres: PostgresServer
) -> None:
    """One user cannot be asked: the bell rings for the others, who are asked in another order each time."""
    _, waiting = await queued_run(registry)
    stuck, due = await due_user(registry), await due_user(registry)
    other = await asyncpg.connect(postgres.url(registry.database))
    try:
        await other.execute(_LOCK, str(stuck))
        found: list[UUID] = []
        with capture_logs() as logs:
            for _ in range(30):
                began = time.monotonic()
                runs = await sweep(registry, 0.5)
                assert time.monotonic() - began < 5
                assert UUID(waiting) in runs
                found = await queued_of(registry, due, runs)
                if found:
                    break
        assert len(found) == 1
    finally:
        await other.close()
    cut = [entry for entry in logs if entry["event"] == "queueing_timed_out"]
    assert cut
    assert all(entry["log_level"] == "warning" for entry in cut)
    assert await queued_of(registry, stuck, await sweep(registry))


async def read_page(registry: Registry, user_id: UUID, number: int) -> Page:
    """Upload and read a page of eight lines; return it."""
    with acting(user_id):
        page = (await create(registry, IMAGE[:2000] + bytes([number]))).page
        await record(registry, page, *(f"שורה {i}" for i in range(8)))
    async with registry.stores.database.user(user_id) as transaction:
        found = await pages.find_page(transaction, user_id, UUID(page.page_id), UUID(page.project_id))
        assert found is not None
        return (await transcriptions.with_transcriptions(transaction, user_id, [found]))[0]


async def test_two_feedbacks_at_once_on_two_pages_are_due_together(registry: Registry) -> None:
    """Neither saw the other's eight lines when it counted; the sweep sees sixteen."""
    user_id = await registry.new_user()
    pages = [await read_page(registry, user_id, number) for number in range(2)]
    database = registry.stores.database
    async with database.user(user_id) as one, database.user(user_id) as other:
        for transaction, page in zip((one, other), pages, strict=True):
            assert page.transcription is not None
            lines = page.transcription.lines
            told = [Correction(line.line_id, line.text) for line in lines if line.line_id]
            request = RequestKey()
            saved = await corrections.insert_feedback(transaction, user_id, page, told, (), request)
            assert saved is not None
            assert saved.ground_truth_lines == 8
    async with database.user(user_id) as transaction:
        counted = await ground_truth.count_verified(transaction, user_id)
    assert counted == {Script.MODERN_CURSIVE: 16}
    assert len(await queued_of(registry, user_id, await sweep(registry))) == 1
