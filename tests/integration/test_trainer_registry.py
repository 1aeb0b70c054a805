"""Trainings over a real registry and PostgreSQL: corrections become a better model that serves."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, models_pb2, training_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_engine.domain import FoundLine
from ketav_engine.images import decode
from ketav_testing import tiny
from ketav_trainer.domain import TrainingConfig
from ketav_trainer.registry import RegistryClient
from ketav_trainer.training import Dependencies, run_training
from tests.parts.pages import draw_page, place_of, random_lines
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, create, queue, registry_server
from tests.parts.training import training_config

CURSIVE = page_pb2.SCRIPT_MODERN_CURSIVE


@dataclass(frozen=True)
class Trainings:
    """A registry and a worker."""

    registry: Registry
    trainer: RegistryClient
    config: TrainingConfig

    async def train(self, run_id: str) -> None:
        """Bring a run to its end as a worker does."""
        await run_training(run_id, dependencies=Dependencies(self.trainer, self.config, asyncio.Event()))

    async def run(self, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
        """Return a run as its user sees it."""
        with acting(user_id), rpc.raise_ketav_errors():
            request = training_pb2.GetTrainingRunRequest(run_id=run_id)
            return (await self.registry.training.GetTrainingRun(request)).run

    async def model(self, user_id: UUID) -> page_pb2.Model:
        """Return the model that serves a user."""
        with acting(user_id), rpc.raise_ketav_errors():
            request = models_pb2.GetUserModelRequest(script=CURSIVE)
            return (await self.registry.models.GetUserModel(request)).model

    async def file(self, user_id: UUID, model: page_pb2.Model) -> bytes:
        """Download a model as the recognizer does for a user."""
        request = models_pb2.DownloadModelRequest(sha256=model.sha256)
        with acting(user_id, "recognizer"), rpc.raise_ketav_errors():
            return b"".join([part.chunk async for part in self.registry.models.DownloadModel(request)])


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


async def corrected_page(registry: Registry, seed: int, lines: int = 12, shuffled: int = 0) -> None:
    """Upload a drawn page as the current user, record a wrong reading of it, and correct every line.

    `shuffled` gives each line the text of the line so many further down, and confirms it.
    """
    texts = random_lines(lines, seed=seed)
    page = (await create(registry, draw_page(texts))).page
    read = []
    for row in range(lines):
        baseline, boundary = place_of(row, texts)
        points = [[page_pb2.Point(x=x, y=y) for x, y in line] for line in (baseline, boundary)]
        read.append(page_pb2.Line(order=row, baseline=points[0], boundary=points[1], text="טעות"))
    with rpc.raise_ketav_errors():
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id, model_version="hebrew_base-1", lines=read
        )
        recorded = (await registry.transcriptions.RecordTranscription(request)).transcription.lines
        corrections = [
            corrections_pb2.LineCorrection(line_id=line.line_id, text=text, confirm=shuffled > 0)
            for line, text in zip(recorded, [*texts[shuffled:], *texts[:shuffled]], strict=True)
        ]
        await registry.corrections.SubmitCorrections(
            corrections_pb2.SubmitCorrectionsRequest(
                project_id=page.project_id,
                page_id=page.page_id,
                lines=corrections_pb2.LineCorrections(lines=corrections),
            )
        )


def errors(model: bytes, seed: int) -> int:
    """Return how many lines of a fresh page a model reads otherwise than they were written."""
    engine = tiny.TinyEngine()
    texts = random_lines(10, seed=seed)
    lines = []
    for row in range(len(texts)):
        baseline, boundary = place_of(row, texts)
        lines.append(FoundLine(row, tuple(baseline), tuple(boundary)))
    loaded = engine.load_model(model, hashlib.sha256(model).hexdigest())
    readings = engine.read_lines(engine.cut_lines(decode(draw_page(texts)), lines, 48), loaded)
    return sum(reading.text != text for reading, text in zip(readings, texts, strict=True))


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
