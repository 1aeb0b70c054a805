"""Versions: pinned for one reading, told with lineage and card; and the pace of the runs that make them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ketav.registry.v1 import models_pb2, pages_pb2, projects_pb2
from ketav.registry.v1 import training_pb2 as pb
from ketav_common import rpc
from ketav_common.errors import Conflict, NotFound
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    claim,
    create,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def trained(registry: Registry, **header: Any) -> tuple[UUID, str]:
    """Make a user with a model of their own; return both names."""
    user_id, run_id = await queued_run(registry)
    made = await publish(registry, run_id, (await claim(registry, run_id)).fence, **header)
    return user_id, made.model.version


async def get_model(registry: Registry, user_id: UUID, version: str) -> models_pb2.GetModelResponse:
    """Return a version as its user sees it."""
    with acting(user_id), rpc.translated():
        return await registry.models.GetModel(models_pb2.GetModelRequest(version=version))


async def to_read_with(registry: Registry, user_id: UUID, page: pages_pb2.Page, version: str) -> str:
    """Ask for a stored image to be read with a version; return the one that is named."""
    request = pages_pb2.DownloadImageRequest(
        project_id=page.project_id, page_id=page.page_id, model_version=version
    )
    with acting(user_id), rpc.translated():
        async for part in registry.pages.DownloadImage(request):
            return part.header.model.version
    raise AssertionError("nothing came")


async def test_a_page_is_read_with_the_version_that_was_asked_for(registry: Registry) -> None:
    """A user whose own model serves asks for the base, once; the next page is read with their own again."""
    user_id, mine = await trained(registry)
    with acting(user_id):
        pinned = await create(registry, model_version="hebrew_base-1")
        assert pinned.model.version == "hebrew_base-1"
        assert (await record(registry, pinned.page, "א")).model.version == "hebrew_base-1"
        assert (await create(registry)).model.version == mine
        assert (await create(registry, model_version=mine)).model.version == mine
    for version, named in (("", mine), (mine, mine), ("hebrew_base-1", "hebrew_base-1")):
        assert await to_read_with(registry, user_id, pinned.page, version) == named
    with acting(user_id):
        assert (await record(registry, pinned.page, "ב", version=mine)).model.version == mine


async def test_a_foreign_version_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """For an upload, a re-reading and the record itself; nothing is stored."""
    _, foreign = await trained(registry)
    stranger = await registry.new_user()
    with acting(stranger):
        page = (await create(registry)).page
    answers = []
    for version in (foreign, "no-such-version"):
        with acting(stranger), pytest.raises(NotFound) as uploaded:
            await create(registry, model_version=version)
        with pytest.raises(NotFound) as downloaded:
            await to_read_with(registry, stranger, page, version)
        with pytest.raises(NotFound) as told:
            await get_model(registry, stranger, version)
        answers.append([(error.value.code, error.value.detail) for error in (uploaded, downloaded, told)])
    assert answers[0] == answers[1]
    with acting(stranger):
        listed = await registry.projects.ListProjects(projects_pb2.ListProjectsRequest())
    assert len(listed.projects) == 1


async def test_a_refused_version_reads_nothing(registry: Registry) -> None:
    """Conflict model-retired; its record can still be read."""
    user_id, refused = await trained(registry, promote=False)
    with acting(user_id):
        page = (await create(registry)).page
        with pytest.raises(Conflict) as uploaded:
            await create(registry, model_version=refused)
    with pytest.raises(Conflict) as downloaded:
        await to_read_with(registry, user_id, page, refused)
    assert {uploaded.value.code, downloaded.value.code} == {"model-retired"}
    assert (await get_model(registry, user_id, refused)).version.state == models_pb2.MODEL_STATE_RETIRED


async def test_a_repeated_upload_keeps_its_version_and_its_answer(registry: Registry) -> None:
    """Read or not yet read: the same request gives the same page and the same model."""
    user_id, mine = await trained(registry)
    header: dict[str, Any] = {"request_id": "once", "model_version": "hebrew_base-1"}
    with acting(user_id):
        first = await create(registry, **header)
        again = await create(registry, **header)
        assert again.page.page_id == first.page.page_id
        assert again.model.version == "hebrew_base-1"
        await record(registry, first.page, "א")
        third = await create(registry, **header)
        assert third.page.transcription.model.version == third.model.version == "hebrew_base-1"
        assert (await create(registry, IMAGE)).model.version == mine


async def test_a_version_tells_what_it_descends_from_and_how_it_was_made(registry: Registry) -> None:
    """Parent first, base last; the card without anything that names a file, a key, a digest or a user."""
    canary = "0123456789abcdef" * 4
    card = {
        "parent": "hebrew_base-1",
        "epochs": 12,
        "replay_share": 0.2,
        "sha256": canary,
        "model_path": "/data/candidate",
        "user_id": "me",
        "dataset": {"lines": [3, canary, {"blob_key": "x", "note": "models/me/1.safetensors"}]},
    }
    user_id, first = await trained(registry, model_card=json.dumps(card))
    run = await queue(registry, user_id)
    second = await publish(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    told = await get_model(registry, user_id, second.model.version)
    assert told.version.parent_version == first
    assert [each.model.version for each in told.lineage] == [first, "hebrew_base-1"]
    assert told.version.state == models_pb2.MODEL_STATE_ACTIVE
    mine = await get_model(registry, user_id, first)
    assert json.loads(mine.version.card_json) == {
        "parent": "hebrew_base-1",
        "epochs": 12,
        "replay_share": 0.2,
        "dataset": {"lines": [3, None, {"note": None}]},
    }
    base = await get_model(registry, user_id, "hebrew_base-1")
    assert (list(base.lineage), base.version.card_json) == ([], "")


async def report(
    registry: Registry, run_id: str, fence: int, epoch: int, epochs: int = 10, state: Any = 2
) -> None:
    """Report an epoch as a worker."""
    request = pb.ReportTrainingProgressRequest(
        run_id=run_id, fence=fence, state=state, epoch=epoch, epochs=epochs
    )
    with acting(None, "trainer"), rpc.translated():
        await registry.training.ReportTrainingProgress(request)


async def run_of(registry: Registry, user_id: UUID, run_id: str) -> pb.TrainingRun:
    """Return a run."""
    with acting(user_id), rpc.translated():
        return (await registry.training.GetTrainingRun(pb.GetTrainingRunRequest(run_id=run_id))).run


async def go_back(postgres: PostgresServer, database: str, run_id: str, seconds: float) -> None:
    """Let the noted epochs of a run lie further back."""
    query = (
        "UPDATE training_run SET first_epoch_at = first_epoch_at - $2::interval,"
        " epoch_at = epoch_at - $2::interval WHERE id = $1"
    )
    await asyncio.to_thread(postgres.execute, query, database, UUID(run_id), timedelta(seconds=seconds))


async def test_the_remaining_time_follows_from_the_epochs_so_far(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Unknown before an epoch has ended; a thousand seconds an epoch: eight thousand after two of ten."""
    user_id, run_id = await queued_run(registry)
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, 0, epochs=0)
    await report(registry, run_id, fence, 0)
    assert not (await run_of(registry, user_id, run_id)).HasField("remaining_seconds")
    await go_back(postgres, database, run_id, 2000)
    await report(registry, run_id, fence, 2)
    assert 7900 <= (await run_of(registry, user_id, run_id)).remaining_seconds <= 8400
    await go_back(postgres, database, run_id, 3000)
    await report(registry, run_id, fence, 2)
    assert 4900 <= (await run_of(registry, user_id, run_id)).remaining_seconds <= 5400
    await go_back(postgres, database, run_id, 36_000)
    assert (await run_of(registry, user_id, run_id)).remaining_seconds == 0
    await report(registry, run_id, fence, 10, state=pb.TRAINING_RUN_STATE_EVALUATING)
    assert not (await run_of(registry, user_id, run_id)).HasField("remaining_seconds")


async def test_an_attempt_after_another_is_judged_by_its_own_pace(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The first attempt was slow; the second knows nothing until an epoch of its own has ended."""
    user_id, run_id = await queued_run(registry)
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, 0)
    await go_back(postgres, database, run_id, 3000)
    await report(registry, run_id, fence, 5)
    assert (await run_of(registry, user_id, run_id)).remaining_seconds > 2000
    give_back = pb.EndTrainingRunRequest(run_id=run_id, fence=fence, state=pb.TRAINING_RUN_STATE_QUEUED)
    with acting(None, "trainer"), rpc.translated():
        await registry.training.EndTrainingRun(give_back)
    assert not (await run_of(registry, user_id, run_id)).HasField("remaining_seconds")
    fence = (await claim(registry, run_id)).fence
    await report(registry, run_id, fence, 6)
    assert not (await run_of(registry, user_id, run_id)).HasField("remaining_seconds")
    await go_back(postgres, database, run_id, 1000)
    await report(registry, run_id, fence, 7)
    assert 2900 <= (await run_of(registry, user_id, run_id)).remaining_seconds <= 3300
