"""Trainings over a real registry and PostgreSQL: corrections become a better model that serves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import training_pb2
from ketav_common import rpc
from ketav_testing import tiny
from ketav_trainer.registry import RegistryClient
from tests.parts.postgres import PostgresServer
from tests.parts.registry import acting, queue, registry_server
from tests.parts.training import training_config
from tests.parts.trainings import Trainings, corrected_page, errors


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def loop(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Trainings]:
    """Run a registry whose base model is an empty table of the tiny engine."""
    async with (
        registry_server(postgres, tmp_path, database, base=tiny.save()) as registry,
        rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel,
    ):
        config = training_config(tmp_path, heartbeat_s=1)
        yield Trainings(registry, RegistryClient(channel), config)


async def test_corrections_become_a_model_that_serves_and_reads_better(loop: Trainings) -> None:
    """Two corrected pages, one training: the user's next model is another, better one, and theirs alone."""
    user_id, stranger = await loop.registry.new_user(), await loop.registry.new_user()
    before = await loop.model(user_id)
    with acting(user_id):
        for seed in range(2):
            await corrected_page(loop.registry, seed)
    run_id = (await queue(loop.registry, user_id)).run_id
    await loop.train(run_id)
    run = await loop.run(user_id, run_id)
    assert run.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED
    assert run.verdict.startswith("Promoted: ")
    assert run.cer_candidate < run.cer_base
    after = await loop.model(user_id)
    assert after.kind == page_pb2.MODEL_KIND_USER
    files = [await loop.file(user_id, model) for model in (before, after)]
    assert errors(files[1], seed=9) < errors(files[0], seed=9)
    assert await loop.model(stranger) == before


async def test_of_two_workers_at_one_run_one_trains_and_the_other_changes_nothing(loop: Trainings) -> None:
    """The database lets one claim through; the run was tried once and ended once."""
    user_id = await loop.registry.new_user()
    with acting(user_id):
        for seed in range(2):
            await corrected_page(loop.registry, seed)
    run_id = (await queue(loop.registry, user_id)).run_id
    await asyncio.gather(loop.train(run_id), loop.train(run_id))
    run = await loop.run(user_id, run_id)
    assert run.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED
    assert run.attempts == 1


async def test_the_next_training_starts_from_the_model_that_serves(loop: Trainings) -> None:
    """Nothing new to learn: the second candidate is no better, REJECTED, and the first model serves on."""
    user_id = await loop.registry.new_user()
    with acting(user_id):
        for seed in range(2):
            await corrected_page(loop.registry, seed)
    first = (await queue(loop.registry, user_id)).run_id
    await loop.train(first)
    serving = await loop.model(user_id)
    with acting(user_id):
        await corrected_page(loop.registry, 0)
    second = (await queue(loop.registry, user_id)).run_id
    await loop.train(second)
    run = await loop.run(user_id, second)
    assert run.state == training_pb2.TRAINING_RUN_STATE_REJECTED
    assert run.verdict.startswith("Rejected: ")
    assert await loop.model(user_id) == serving


async def test_texts_of_other_lines_are_rejected_and_the_old_model_serves_on(loop: Trainings) -> None:
    """A user confirms shuffled texts: a model trained on them reads the held-out lines no better."""
    user_id = await loop.registry.new_user()
    with acting(user_id):
        for seed in range(2):
            await corrected_page(loop.registry, seed)
    await loop.train((await queue(loop.registry, user_id)).run_id)
    serving = await loop.model(user_id)
    assert serving.kind == page_pb2.MODEL_KIND_USER
    with acting(user_id):
        for seed in range(2, 8):
            await corrected_page(loop.registry, seed, shuffled=5)
    run_id = (await queue(loop.registry, user_id)).run_id
    await loop.train(run_id)
    run = await loop.run(user_id, run_id)
    assert run.state == training_pb2.TRAINING_RUN_STATE_REJECTED
    assert run.verdict.startswith("Rejected: ")
    assert await loop.model(user_id) == serving
