"""Deleting pages, projects and accounts on a real PostgreSQL: what goes, stops serving, is trained anew."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import (
    accounts_pb2,
    ground_truth_pb2,
    models_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    webhooks_pb2,
)
from ketav_common import rpc
from ketav_common.errors import Conflict, Forbidden, KetavError, NotFound, Precondition, Stale
from ketav_registry.tables import metadata
from ketav_registry.usecases import models
from ketav_registry.usecases.object_removal import OrphanSearch, sweep_objects
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    correct,
    create,
    delete_page,
    pages_of,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
    safetensors,
)

# Each race is run this often; a hundred times on request, for they take a while.
RACES = int(os.environ.get("KETAV_TEST_RACES", "10"))
# What outlives an account: the record of its deletion, and the queue of its objects until they are gone.
OF_A_USER = metadata.tables.keys() - {"erasure", "object_removal"}


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


@pytest.fixture
def rows(postgres: PostgresServer, database: str) -> Any:
    """Return a query of the whole database, past all walls."""

    async def ask(query: str, *arguments: Any) -> list[Any]:
        """Run a query as the owner."""
        return [tuple(row) for row in await asyncio.to_thread(postgres.execute, query, database, *arguments)]

    return ask


async def trained(registry: Registry, user_id: UUID) -> str:
    """Train a user on all they have corrected; return the version that serves them then."""
    run_id = (await queue(registry, user_id)).run_id
    lease = await claim(registry, run_id)
    return (await publish(registry, run_id, lease.fence)).model.version


async def corrected(registry: Registry, user_id: UUID, count: int = 8, pages: int = 2, **header: Any) -> None:
    """Upload, read and correct pages as a user."""
    with acting(user_id):
        await correct(registry, count, pages=pages, **header)


async def states(registry: Registry, user_id: UUID) -> dict[str, int]:
    """Return the state of each version the user can see."""
    with acting(user_id), rpc.translated():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    return {each.model.version: each.state for each in listed.versions}


async def serving(registry: Registry, user_id: UUID) -> str:
    """Return the version that serves a user."""
    with acting(user_id), rpc.translated():
        return (await registry.models.GetUserModel(models_pb2.GetUserModelRequest())).model.version


async def run_of(registry: Registry, user_id: UUID, run_id: str) -> training_pb2.TrainingRun:
    """Return a run as its user sees it."""
    with acting(user_id), rpc.translated():
        return (await registry.training.GetTrainingRun(training_pb2.GetTrainingRunRequest(run_id=run_id))).run


async def sweep(registry: Registry) -> set[str]:
    """Sweep as the trainer; return the queued runs."""
    with acting(None, "trainer"), rpc.translated():
        return set(
            (await registry.training.SweepTrainingRuns(training_pb2.SweepTrainingRunsRequest())).run_ids
        )


def objects(registry: Registry, kind: str) -> set[str]:
    """Return the names of the stored objects of a kind."""
    return {path.name for path in registry.blobs.glob(f"{kind}/*/*")}


async def sweep_store(registry: Registry) -> None:
    """Remove what is queued, as the registry does from time to time."""
    await sweep_objects(OrphanSearch(), stores=registry.stores)


async def test_a_deleted_page_is_gone_with_its_readings_corrections_and_image(
    registry: Registry, rows: Any
) -> None:
    """No row of the page is left in any table, the other page stays, the image goes with the next sweep."""
    user_id = await registry.new_user()
    await corrected(registry, user_id, 3)
    first, second = await pages_of(registry, user_id)
    with acting(user_id):
        await record(registry, first, "קריאה", "חדשה")
    done = await delete_page(registry, user_id, first)
    assert (done.pages, done.lines, done.corrections) == (1, 5, 3)
    assert not done.tainted_versions
    assert not done.retraining
    for table in ("transcription", "line", "feedback", "correction", "dataset_line"):
        assert await rows(f"SELECT 1 FROM {table} WHERE page_id = $1", UUID(first.page_id)) == []  # noqa: S608 - names of our tables
    assert [page.page_id for page in await pages_of(registry, user_id)] == [second.page_id]
    assert first.page_id in objects(registry, "images")
    await sweep_store(registry)
    assert first.page_id not in objects(registry, "images")
    assert second.page_id in objects(registry, "images")
    assert await rows("SELECT kind, pages FROM erasure WHERE user_id = $1", user_id) == [("page", 1)]


async def test_deleting_again_or_what_is_somebody_else_s_is_not_found_like_the_unknown(
    registry: Registry,
) -> None:
    """The second deletion, a stranger's and one of an unknown id say the same, and delete nothing."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    await corrected(registry, user_id, 2)
    first, second = await pages_of(registry, user_id)
    await delete_page(registry, user_id, first)
    unknown = pages_pb2.Page(page_id=str(uuid4()), project_id=str(uuid4()))
    mixed = pages_pb2.Page(page_id=second.page_id, project_id=first.project_id)
    answers = []
    for who, page in ((user_id, first), (stranger, second), (user_id, unknown), (user_id, mixed)):
        with pytest.raises(NotFound) as caught:
            await delete_page(registry, who, page)
        answers.append((caught.value.code, caught.value.detail))
        with acting(stranger), pytest.raises(NotFound), rpc.translated():
            await registry.projects.DeleteProject(
                projects_pb2.DeleteProjectRequest(project_id=page.project_id)
            )
    assert len(set(answers)) == 1
    assert [page.page_id for page in await pages_of(registry, user_id)] == [second.page_id]


async def test_two_pages_with_the_same_image_do_not_lose_it_to_each_other(registry: Registry) -> None:
    """Each page has an object of its own, and so have the pages of two users."""
    users = [await registry.new_user() for _ in range(2)]
    for user_id in users:
        await corrected(registry, user_id, 1, pages=1)
    [mine], [theirs] = [await pages_of(registry, user_id) for user_id in users]
    assert mine.image.sha256 == theirs.image.sha256
    await delete_page(registry, users[0], mine)
    await sweep_store(registry)
    assert await image_of(registry, users[1], theirs)


async def image_of(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> bytes:
    """Return a page's image; DataLoss when it is gone."""
    request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
    with acting(user_id), rpc.translated():
        return b"".join([part.chunk async for part in registry.pages.DownloadImage(request)])


async def test_an_image_of_before_pages_had_objects_stays_until_its_last_page_is_deleted(
    registry: Registry, rows: Any
) -> None:
    """Older pages share an object named by the digest."""
    users = [await registry.new_user() for _ in range(2)]
    for user_id in users:
        await corrected(registry, user_id, 1, pages=1)
    pages = [(await pages_of(registry, user_id))[0] for user_id in users]
    digest = pages[0].image.sha256.hex()
    old = registry.blobs / f"images/{digest[:2]}/{digest}"
    old.parent.mkdir(exist_ok=True)
    for page in pages:
        (registry.blobs / f"images/{page.page_id[:2]}/{page.page_id}").replace(old)
        await rows("UPDATE page SET object_key = NULL WHERE id = $1", UUID(page.page_id))
    await delete_page(registry, users[0], pages[0])
    await sweep_store(registry)
    assert await image_of(registry, users[1], pages[1])
    await delete_page(registry, users[1], pages[1])
    await sweep_store(registry)
    assert not old.exists()


async def test_a_version_that_learnt_from_a_deleted_line_stops_serving_at_once_and_so_do_its_children(
    registry: Registry, rows: Any
) -> None:
    """The nearest ancestor without it serves, the generation rises by one, the files go, none can return."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    clean = await trained(registry, user_id)
    await corrected(registry, user_id, 3, pages=1)
    new = (await pages_of(registry, user_id))[0]
    tainted = [await trained(registry, user_id)]
    await corrected(registry, user_id, 3, pages=1)
    tainted.append(await trained(registry, user_id))
    generation = await rows("SELECT generation FROM active_model WHERE user_id = $1", user_id)
    assert await serving(registry, user_id) == tainted[-1]
    done = await delete_page(registry, user_id, new)
    assert set(done.tainted_versions) == set(tainted)
    assert done.retraining
    assert await serving(registry, user_id) == clean
    after = await rows("SELECT generation, version FROM active_model WHERE user_id = $1", user_id)
    assert after == [(generation[0][0] + 1, clean)]
    seen = await states(registry, user_id)
    assert [seen[version] for version in tainted] == [models_pb2.MODEL_STATE_TAINTED] * 2
    assert seen[clean] == models_pb2.MODEL_STATE_ACTIVE
    with acting(user_id), pytest.raises(Precondition) as caught, rpc.translated():
        await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=tainted[0]))
    assert caught.value.code == "model-tainted"
    with acting(user_id), pytest.raises(Conflict, match="deleted"):
        await create(registry, model_version=tainted[0])
    await sweep_store(registry)
    assert objects(registry, "models") >= {f"{clean}.safetensors"}
    assert not objects(registry, "models") & {f"{version}.safetensors" for version in tainted}


async def test_without_an_untainted_ancestor_the_base_serves_again_and_no_bytes_are_handed_out(
    registry: Registry, rows: Any
) -> None:
    """Deleting a page of the first training leaves the base; the tainted file is unknown to recognizers."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    version = await trained(registry, user_id)
    [(sha256,)] = await rows("SELECT sha256 FROM model_version WHERE version = $1", version)
    await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert await serving(registry, user_id) == "hebrew_base-1"
    with acting(user_id):
        model = (await create(registry)).model
    assert model.version == "hebrew_base-1"
    base = model.sha256
    registry.signer.check_grant(model.grant, user_id, base)
    with pytest.raises(Forbidden):
        registry.signer.check_grant(model.grant, user_id, sha256)
    asked = models_pb2.CheckModelsRequest(sha256=[sha256, base])
    with acting(None, "recognizer"), rpc.translated():
        assert list((await registry.models.CheckModels(asked)).sha256) == [base]
    request = models_pb2.DownloadModelRequest(sha256=sha256)
    for role in ("recognizer", "trainer"):
        with acting(user_id, role), pytest.raises(NotFound), rpc.translated():
            await registry.models.DownloadModel(request).read()


async def test_the_manifest_of_a_dataset_keeps_nothing_of_a_deleted_line(
    registry: Registry, rows: Any
) -> None:
    """Neither its id nor the digest of its text, from which a short text could be guessed; the rest stays."""
    user_id, _ = await queued_run(registry)
    first, second = await pages_of(registry, user_id)
    await delete_page(registry, user_id, first)
    kept = await rows("SELECT DISTINCT page_id FROM dataset_line WHERE user_id = $1", user_id)
    assert kept == [(UUID(second.page_id),)]
    assert await rows("SELECT tainted FROM dataset WHERE user_id = $1", user_id) == [(True,)]


async def test_a_training_without_the_deleted_lines_is_queued_by_the_next_sweep_once(
    registry: Registry,
) -> None:
    """Sixteen lines remain: a run over them alone; after it nothing is due."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.retraining
    [run_id] = [each for each in await sweep(registry) if await is_of(registry, user_id, each)]
    lease = await claim(registry, run_id)
    assert lease.run.training_lines + lease.run.holdout_lines == 16
    assert lease.parent.version == "hebrew_base-1"
    version = await publish(registry, run_id, lease.fence)
    assert await serving(registry, user_id) == version.model.version
    assert not [each for each in await sweep(registry) if await is_of(registry, user_id, each)]


async def without_gap(registry: Registry, user_id: UUID, *, automatic: bool = True) -> None:
    """Let automatic runs of a user follow one another at once, or not come at all."""
    wanted = training_pb2.TrainingPolicy(automatic=automatic, minimum_gap_seconds=0)
    with acting(user_id), rpc.translated():
        await registry.training.SetTrainingPolicy(training_pb2.SetTrainingPolicyRequest(policy=wanted))


async def test_a_user_without_automatic_training_is_not_trained_anew(registry: Registry) -> None:
    """What they have set holds after a deletion, too, and the answer says so."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id, automatic=False)
    await corrected(registry, user_id, pages=3)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.tainted_versions
    assert not done.retraining
    assert not [each for each in await sweep(registry) if await is_of(registry, user_id, each)]


async def test_a_refused_run_over_deleted_lines_is_made_again_and_the_answer_says_so(
    registry: Registry,
) -> None:
    """No model had come of it, yet what it tried is gone: the sweep queues a run over the rest."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    run_id = (await queue(registry, user_id)).run_id
    await publish(registry, run_id, (await claim(registry, run_id)).fence, promote=False)
    assert not [each for each in await sweep(registry) if await is_of(registry, user_id, each)]
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.retraining
    assert await serving(registry, user_id) == "hebrew_base-1"
    assert len([each for each in await sweep(registry) if await is_of(registry, user_id, each)]) == 1


async def test_a_lost_model_is_not_made_again_where_the_last_run_was_without_the_deleted_lines(
    registry: Registry, rows: Any
) -> None:
    """That run has said what the remaining lines bring over the base: the answer and the sweep agree."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    version = await trained(registry, user_id)
    page = (await pages_of(registry, user_id))[0]
    doubt = "UPDATE correction SET quarantine = 'empty-text', quarantine_reason = 'x' WHERE page_id = $1"
    await rows(doubt, UUID(page.page_id))
    await activate(registry, user_id, "hebrew_base-1")
    run_id = (await queue(registry, user_id)).run_id
    await publish(registry, run_id, (await claim(registry, run_id)).fence, promote=False)
    await activate(registry, user_id, version)
    done = await delete_page(registry, user_id, page)
    assert list(done.tainted_versions) == [version]
    assert not done.retraining
    assert not [each for each in await sweep(registry) if await is_of(registry, user_id, each)]


async def test_a_run_that_started_from_a_lost_model_is_made_again(registry: Registry, rows: Any) -> None:
    """It had none of the deleted lines itself, but what it would have made had learnt from them."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    version = await trained(registry, user_id)
    page = (await pages_of(registry, user_id))[0]
    doubt = "UPDATE correction SET quarantine = 'empty-text', quarantine_reason = 'x' WHERE page_id = $1"
    await rows(doubt, UUID(page.page_id))
    run_id = (await queue(registry, user_id)).run_id
    assert (await claim(registry, run_id)).parent.version == version
    done = await delete_page(registry, user_id, page)
    assert (done.cancelled_run_id, done.retraining) == (run_id, True)
    assert len([each for each in await sweep(registry) if await is_of(registry, user_id, each)]) == 1


async def activate(registry: Registry, user_id: UUID, version: str) -> None:
    """Make a version the active one as a user."""
    with acting(user_id), rpc.translated():
        await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=version))


async def test_who_falls_back_to_the_base_gets_the_next_base_as_well(
    registry: Registry, rows: Any, tmp_path: Path
) -> None:
    """Nothing of their own serves any more: they follow what the operator imports; the generation stays."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    await trained(registry, user_id)
    await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    active = "SELECT version, generation FROM active_model WHERE user_id = $1"
    assert await rows(active, user_id) == [(None, 2)]
    file = tmp_path / "newer.safetensors"
    file.write_bytes(safetensors(b"a newer base"))
    stores = registry.stores
    newer = await models.import_base(file, "newer", None, stores=stores)
    try:
        assert await serving(registry, user_id) == newer.model.version
    finally:  # the other tests of this module know one base
        await rows("DELETE FROM model_version WHERE version = $1", newer.model.version)
    await corrected(registry, user_id)
    own = await trained(registry, user_id)
    assert await rows(active, user_id) == [(own, 3)]


async def is_of(registry: Registry, user_id: UUID, run_id: str) -> bool:
    """Say whether a run is a user's."""
    try:
        await run_of(registry, user_id, run_id)
    except NotFound:
        return False
    return True


async def test_with_too_few_lines_left_nothing_is_trained(registry: Registry) -> None:
    """Eight of sixteen remain: the answer says so and the sweep queues nothing."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.tainted_versions
    assert not done.retraining
    assert not [each for each in await sweep(registry) if await is_of(registry, user_id, each)]


async def test_an_active_run_over_deleted_lines_ends_and_its_worker_can_do_nothing_more(
    registry: Registry,
) -> None:
    """It is cancelled in the same transaction; its model, sent later, is refused."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.cancelled_run_id == run_id
    run = await run_of(registry, user_id, run_id)
    assert (run.state, run.verdict) == (
        training_pb2.TRAINING_RUN_STATE_CANCELLED,
        "The training run was cancelled because lines that it uses were deleted.",
    )
    with pytest.raises(Stale):
        await publish(registry, run_id, lease.fence)
    with acting(None, "trainer"), pytest.raises(Stale), rpc.translated():
        await registry.ground_truth.ExportGroundTruth(
            ground_truth_pb2.ExportGroundTruthRequest(run_id=run_id, fence=lease.fence)
        ).read()
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_a_run_over_other_lines_goes_on(registry: Registry) -> None:
    """Deleting a page that nobody has corrected concerns no model and no run."""
    user_id, run_id = await queued_run(registry)
    with acting(user_id):
        page = (await create(registry)).page
        await record(registry, page, "לא תוקן")
    done = await delete_page(registry, user_id, page)
    assert not done.cancelled_run_id
    assert (await run_of(registry, user_id, run_id)).state == training_pb2.TRAINING_RUN_STATE_QUEUED


async def later(pause: float, call: Coroutine[Any, Any, Any]) -> Any:
    """Call a little later."""
    await asyncio.sleep(pause)
    return await call


async def test_of_deletion_and_publication_exactly_one_order_holds(registry: Registry, rows: Any) -> None:
    """Raced: the model is refused, or published and tainted; a tainted version never serves."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    outcomes: list[type] = []
    for number in range(RACES):
        await corrected(registry, user_id, 1, pages=1)
        page = (await pages_of(registry, user_id))[0]
        run_id = (await queue(registry, user_id)).run_id
        lease = await claim(registry, run_id)

        calls: list[Any] = [
            publish(registry, run_id, lease.fence),
            later(number % 20 / 2000, delete_page(registry, user_id, page)),
        ]
        published, done = await asyncio.gather(*calls, return_exceptions=True)
        assert not isinstance(done, BaseException), done
        run = await run_of(registry, user_id, run_id)
        if isinstance(published, BaseException):
            assert isinstance(published, Stale)
            assert (run.state, done.cancelled_run_id) == (training_pb2.TRAINING_RUN_STATE_CANCELLED, run_id)
        else:
            assert run.state == training_pb2.TRAINING_RUN_STATE_SUCCEEDED
            assert list(done.tainted_versions) == [run.model_version]
        outcomes.append(type(published))
        assert await serving(registry, user_id) == "hebrew_base-1"
        assert models_pb2.MODEL_STATE_AVAILABLE not in (await states(registry, user_id)).values()
    await sweep_store(registry)
    assert not list(registry.blobs.glob(f"models/{user_id}/*"))
    generations = await rows("SELECT generation FROM active_model WHERE user_id = $1", user_id)
    won = outcomes.count(models_pb2.ModelVersion)
    assert generations == ([(2 * won,)] if won else [])


async def test_of_deletion_and_a_new_run_no_run_holds_a_deleted_line(registry: Registry, rows: Any) -> None:
    """Raced: a run that was queued first is cancelled, one queued later has other lines only."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    for _ in range(RACES):
        await corrected(registry, user_id, 1, pages=1)
        page = (await pages_of(registry, user_id))[0]
        started, done = await asyncio.gather(
            queue(registry, user_id), delete_page(registry, user_id, page), return_exceptions=True
        )
        assert not isinstance(done, BaseException), done
        assert isinstance(started, training_pb2.TrainingRun), started
        if not done.cancelled_run_id:
            assert (
                await run_of(registry, user_id, started.run_id)
            ).state == training_pb2.TRAINING_RUN_STATE_QUEUED
            assert started.training_lines + started.holdout_lines == 16
            request = training_pb2.CancelTrainingRunRequest(run_id=started.run_id)
            with acting(user_id), rpc.translated():
                await registry.training.CancelTrainingRun(request)
        [(left,)] = await rows("SELECT count(*) FROM dataset_line WHERE page_id = $1", UUID(page.page_id))
        assert left == 0


async def test_an_upload_into_a_project_that_is_being_deleted_is_stored_or_not_found(
    registry: Registry,
) -> None:
    """Raced: never an error of ours, never a page without its project, never a lost object."""
    user_id = await registry.new_user()
    for _ in range(RACES):
        with acting(user_id):
            project_id = (await create(registry)).page.project_id
            request = projects_pb2.DeleteProjectRequest(project_id=project_id)
            outcomes = await asyncio.gather(
                create(registry, project_id=project_id),
                registry.projects.DeleteProject(request),
                return_exceptions=True,
            )
        assert isinstance(outcomes[0], pages_pb2.CreatePageResponse | NotFound)
        assert isinstance(outcomes[1], projects_pb2.DeleteProjectResponse)
    assert await pages_of(registry, user_id) == []
    await sweep_store(registry)
    assert not objects(registry, "images")


async def delete_account(registry: Registry, user_id: UUID) -> Any:
    """Delete a user's account as that user."""
    with acting(user_id), rpc.translated():
        return (await registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())).erasure


async def of_user(rows: Any, table: str, user_id: UUID) -> list[Any]:
    """Return a one for each row of a table that is a user's."""
    column = "id" if table == "account" else "user_id"
    return list(await rows(f"SELECT 1 FROM {table} WHERE {column} = $1", user_id))  # noqa: S608 - our tables


async def test_a_deleted_account_leaves_a_record_and_nothing_else(registry: Registry, rows: Any) -> None:
    """No row of the user in any table, no object, keys worth nothing; another user keeps everything."""
    user_id, other = await registry.new_user("דנה"), await registry.new_user()
    for each in (user_id, other):
        await without_gap(registry, each)
        await corrected(registry, each)
        with acting(each), rpc.translated():
            await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/hook"))
        await trained(registry, each)
        await queue(registry, each)
    for table in OF_A_USER:
        assert await of_user(rows, table, user_id), table
    kept = await states(registry, other)
    done = await delete_account(registry, user_id)
    assert (done.pages, done.lines, done.corrections) == (2, 16, 16)
    for table in OF_A_USER:
        assert not await of_user(rows, table, user_id), table
    await sweep_store(registry)
    assert not list((registry.blobs / f"models/{user_id}").iterdir())
    assert len(objects(registry, "images")) == 2
    assert await states(registry, other) == kept
    found = await rows("SELECT * FROM erasure WHERE user_id = $1", user_id)
    assert [row[1:7] for row in found] == [(user_id, "account", 2, 16, 16, 0)]
    with pytest.raises(NotFound):
        await delete_account(registry, user_id)


async def test_a_key_that_is_still_believed_after_the_deletion_stores_nothing(registry: Registry) -> None:
    """For up to half a minute another gateway may let the user in: 404, no row, no object."""
    user_id = await registry.new_user()
    await delete_account(registry, user_id)
    with acting(user_id), pytest.raises(NotFound):
        await create(registry)
    assert not objects(registry, "images")
    assert await pages_of(registry, user_id) == []


async def test_a_worker_that_trains_for_a_deleted_account_is_refused(registry: Registry) -> None:
    """Its run is gone: publishing is stale and leaves no object once the queue was emptied."""
    user_id, run_id = await queued_run(registry)
    lease = await claim(registry, run_id)
    publication, _ = await asyncio.gather(
        publish(registry, run_id, lease.fence), delete_account(registry, user_id), return_exceptions=True
    )
    assert isinstance(publication, Stale | models_pb2.ModelVersion)
    with pytest.raises(Stale):
        await publish(registry, run_id, lease.fence)
    await sweep_store(registry)
    assert not objects(registry, "models") - {f"{path.name}" for path in registry.blobs.glob("models/base/*")}


async def test_a_store_that_is_away_keeps_the_queue_and_is_asked_again(registry: Registry, rows: Any) -> None:
    """A failure is noted, nothing is forgotten; when the store is back the object goes."""
    user_id = await registry.new_user()
    await corrected(registry, user_id, 1)
    for page in await pages_of(registry, user_id):
        await delete_page(registry, user_id, page)
    stored = objects(registry, "images")
    unreachable = Unreachable(registry.stores.blobs)
    with pytest.raises(KetavError):
        await sweep_objects(OrphanSearch(), stores=replace(registry.stores, blobs=unreachable))
    tries = "SELECT attempts FROM object_removal WHERE user_id = $1 ORDER BY 1"
    assert await rows(tries, user_id) == [(0,), (1,)]
    assert objects(registry, "images") == stored
    await sweep_store(registry)
    assert await rows(tries, user_id) == []
    assert not objects(registry, "images") & {page for page in stored if len(page) == 36}


async def test_an_object_that_cannot_be_removed_keeps_no_orphan(registry: Registry, age: Any) -> None:
    """The error is told at the end, when the orphans were looked for."""
    user_id = await registry.new_user()
    await corrected(registry, user_id, 1, pages=1)
    [page] = await pages_of(registry, user_id)
    await delete_page(registry, user_id, page)
    orphan = registry.blobs / f"images/ab/{uuid4()}"
    age(orphan, 2)
    stuck = Unreachable(registry.stores.blobs, page.page_id)
    for _ in range(2):
        with pytest.raises(KetavError, match="away"):
            await sweep_objects(OrphanSearch(), stores=replace(registry.stores, blobs=stuck))
        assert not orphan.exists()
    await sweep_store(registry)
    assert page.page_id not in objects(registry, "images")


class Unreachable:
    """A store whose deletions, or those of some objects, do not get through."""

    def __init__(self, blobs: Any, which: str = "") -> None:
        """Take the store, and what is in the keys that cannot be removed."""
        self._blobs, self._which = blobs, which

    def __getattr__(self, name: str) -> Any:
        """Do everything else as the store does."""
        return getattr(self._blobs, name)

    async def remove(self, key: str) -> None:
        """Fail where it is told to."""
        if self._which in key:
            raise KetavError("away", code="unavailable")
        await self._blobs.remove(key)


async def test_orphans_older_than_a_day_are_collected_and_nothing_else(registry: Registry, age: Any) -> None:
    """An image and a model without a row go; young ones, named ones, bases and other files stay."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    named = objects(registry, "images") | objects(registry, "models")
    orphans = [
        f"images/ab/{uuid4()}",
        f"images/{'cd' * 1}/{'cd' * 32}",
        f"models/{user_id}/{uuid4()}.safetensors",
    ]
    young = f"images/ab/{uuid4()}"
    for key in (*orphans, young, "models/base/of-the-operator"):
        age(registry.blobs / key, 0 if key == young else 2)
    for path in registry.blobs.glob("*/*/*"):
        if path.name in named:
            age(path, 2)
    await sweep_store(registry)
    assert not [key for key in orphans if (registry.blobs / key).exists()]
    assert objects(registry, "images") | objects(registry, "models") == {
        *named,
        young.rpartition("/")[2],
        "of-the-operator",
    }


@pytest.fixture
def age() -> Any:
    """Return a function that writes a file, or leaves it as it is, and dates it back by days."""

    def write(path: Path, days: float) -> None:
        """Write and date it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(b"x")
        when = datetime.now(UTC).timestamp() - days * 86_400
        os.utime(path, (when, when))

    return write


async def test_a_store_that_is_not_the_database_s_is_left_alone(registry: Registry, age: Any) -> None:
    """Most objects without a row is a wrong or restored database, not what crashes leave."""
    strangers = [registry.blobs / f"images/ab/{uuid4()}" for _ in range(30)]
    for path in strangers:
        age(path, 3)
    await sweep_store(registry)
    assert all(path.exists() for path in strangers)
