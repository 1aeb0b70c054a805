"""Deletion of pages, projects and accounts, on a real PostgreSQL: rows, objects, models and training runs."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import (
    accounts_pb2,
    ground_truth_pb2,
    jobs_pb2,
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
from tests.parts import jobs
from tests.parts.jobs_exports import create_export
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    claiming,
    correct,
    create,
    delete_page,
    get_run,
    list_projects,
    pages_of,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
    runs_of,
    safetensors,
    serving,
    set_member,
    sweep_runs,
)

RACES = int(os.environ.get("KETAV_TEST_RACES", "10"))
"""Repetitions of each test of concurrent calls; a hundred take minutes."""
# All tables but two: the record of a deletion and the queue of objects outlive the account.
OF_A_USER = metadata.tables.keys() - {"audit_entry", "erasure", "object_removal"}


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
    """Return a function that queries the database as its owner, without row-level security."""

    async def run_query(query: str, *arguments: Any) -> list[Any]:
        """Run a query as the owner."""
        return [tuple(row) for row in await asyncio.to_thread(postgres.execute, query, database, *arguments)]

    return run_query


async def trained(registry: Registry, user_id: UUID) -> str:
    """Train a user on all their corrections; return the published version."""
    run_id = (await queue(registry, user_id)).run_id
    claimed = await claim(registry, run_id)
    return (await publish(registry, run_id, claimed.fence)).model.version


async def corrected(registry: Registry, user_id: UUID, count: int = 8, pages: int = 2, **header: Any) -> None:
    """Upload, read and correct pages as a user."""
    with acting(user_id):
        await correct(registry, count, pages=pages, **header)


async def states(registry: Registry, user_id: UUID) -> dict[str, int]:
    """Return the state of each version that is visible to the user."""
    with acting(user_id), rpc.raise_ketav_errors():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest())
    return {version.model.version: version.state for version in listed.versions}


def objects(registry: Registry, kind: str) -> set[str]:
    """Return the names of the stored images or models."""
    return {path.name for path in registry.blobs.glob(f"{kind}/*/*")}


async def sweep_store(registry: Registry) -> None:
    """Remove queued objects and orphans, as the registry does periodically."""
    await sweep_objects(OrphanSearch(), stores=registry.stores)


async def test_a_page_is_deleted_with_its_transcriptions_corrections_and_image(
    registry: Registry, rows: Any
) -> None:
    """No table has a row of it; the other page stays; the next sweep removes the image."""
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


async def test_a_deleted_page_and_a_foreign_page_are_not_found_exactly_like_an_unknown_one(
    registry: Registry,
) -> None:
    """Code and detail are the same, and nothing is deleted."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    await corrected(registry, user_id, 2)
    first, second = await pages_of(registry, user_id)
    await delete_page(registry, user_id, first)
    unknown = pages_pb2.Page(page_id=str(uuid4()), project_id=str(uuid4()))
    mixed = pages_pb2.Page(page_id=second.page_id, project_id=first.project_id)
    responses = []
    for caller, page in ((user_id, first), (stranger, second), (user_id, unknown), (user_id, mixed)):
        with pytest.raises(NotFound) as caught:
            await delete_page(registry, caller, page)
        responses.append((caught.value.code, caught.value.detail))
        with acting(stranger), pytest.raises(NotFound), rpc.raise_ketav_errors():
            await registry.projects.DeleteProject(
                projects_pb2.DeleteProjectRequest(project_id=page.project_id)
            )
    assert len(set(responses)) == 1
    assert [page.page_id for page in await pages_of(registry, user_id)] == [second.page_id]


async def test_deleting_a_page_keeps_the_same_image_of_another_page(registry: Registry) -> None:
    """Each page has an object of its own."""
    users = [await registry.new_user() for _ in range(2)]
    for user_id in users:
        await corrected(registry, user_id, 1, pages=1)
    [own_page], [other_page] = [await pages_of(registry, user_id) for user_id in users]
    assert own_page.image.sha256 == other_page.image.sha256
    await delete_page(registry, users[0], own_page)
    await sweep_store(registry)
    assert await image_of(registry, users[1], other_page)


async def image_of(registry: Registry, user_id: UUID, page: pages_pb2.Page) -> bytes:
    """Return a page's image; DataLoss: the object is missing."""
    request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
    with acting(user_id), rpc.raise_ketav_errors():
        return b"".join([part.chunk async for part in registry.pages.DownloadImage(request)])


async def test_an_image_that_pages_share_stays_until_its_last_page_is_deleted(
    registry: Registry, rows: Any
) -> None:
    """Pages older than migration 0005 share an object named by its digest."""
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


async def test_versions_that_were_trained_on_a_deleted_line_and_their_children_stop_serving_at_once(
    registry: Registry, rows: Any
) -> None:
    """The nearest other ancestor serves, the generation increases by one, and the files are removed."""
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
    with acting(user_id), pytest.raises(Precondition) as caught, rpc.raise_ketav_errors():
        await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=tainted[0]))
    assert caught.value.code == "model-tainted"
    with acting(user_id), pytest.raises(Conflict, match="deleted"):
        await create(registry, model_version=tainted[0])
    await sweep_store(registry)
    assert objects(registry, "models") >= {f"{clean}.safetensors"}
    assert not objects(registry, "models") & {f"{version}.safetensors" for version in tainted}


async def test_without_an_untainted_ancestor_the_base_serves_and_the_tainted_file_is_not_found(
    registry: Registry, rows: Any
) -> None:
    """After deleting a page of the first training. Recognizers learn that the file is not usable."""
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
    check_request = models_pb2.CheckModelsRequest(sha256=[sha256, base])
    with acting(None, "recognizer"), rpc.raise_ketav_errors():
        assert list((await registry.models.CheckModels(check_request)).sha256) == [base]
    grant = registry.signer.grant(user_id, sha256)
    request = models_pb2.DownloadModelRequest(sha256=sha256, grant=grant)
    with acting(user_id, "recognizer"), pytest.raises(NotFound), rpc.raise_ketav_errors():
        await registry.models.DownloadModel(request).read()


async def test_the_manifest_of_a_dataset_has_no_row_of_a_deleted_line(registry: Registry, rows: Any) -> None:
    """Neither its id nor the digest of its text, from which a short text could be guessed."""
    user_id, _ = await queued_run(registry)
    first, second = await pages_of(registry, user_id)
    await delete_page(registry, user_id, first)
    page_ids = await rows("SELECT DISTINCT page_id FROM dataset_line WHERE user_id = $1", user_id)
    assert page_ids == [(UUID(second.page_id),)]
    assert await rows("SELECT tainted FROM dataset WHERE user_id = $1", user_id) == [(True,)]


async def test_the_next_sweep_queues_one_run_without_the_deleted_lines(
    registry: Registry,
) -> None:
    """16 lines remain; after that run, none is due."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.retraining
    [run_id] = await runs_of(registry, user_id, await sweep_runs(registry))
    claimed = await claim(registry, run_id)
    assert claimed.run.training_lines + claimed.run.holdout_lines == 16
    assert claimed.parent.version == "hebrew_base-1"
    version = await publish(registry, run_id, claimed.fence)
    assert await serving(registry, user_id) == version.model.version
    assert not await runs_of(registry, user_id, await sweep_runs(registry))


async def without_gap(registry: Registry, user_id: UUID, *, automatic: bool = True) -> None:
    """Set a user's policy: automatic runs without a minimum gap, or none."""
    policy = training_pb2.TrainingPolicy(automatic=automatic, minimum_gap_seconds=0)
    with acting(user_id), rpc.raise_ketav_errors():
        await registry.training.SetTrainingPolicy(training_pb2.SetTrainingPolicyRequest(policy=policy))


async def test_a_deletion_queues_no_run_when_automatic_training_is_off(registry: Registry) -> None:
    """`retraining` is false."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id, automatic=False)
    await corrected(registry, user_id, pages=3)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.tainted_versions
    assert not done.retraining
    assert not await runs_of(registry, user_id, await sweep_runs(registry))


async def test_a_run_is_queued_after_the_lines_of_a_rejected_run_are_deleted(
    registry: Registry,
) -> None:
    """It has published no serving model, but its lines no longer count: `retraining` is true."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    run_id = (await queue(registry, user_id)).run_id
    await publish(registry, run_id, (await claim(registry, run_id)).fence, promote=False)
    assert not await runs_of(registry, user_id, await sweep_runs(registry))
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.retraining
    assert await serving(registry, user_id) == "hebrew_base-1"
    assert len(await runs_of(registry, user_id, await sweep_runs(registry))) == 1


async def test_no_run_is_queued_when_the_last_run_did_not_use_the_deleted_lines(
    registry: Registry, rows: Any
) -> None:
    """That run has measured the remaining lines already; response and sweep agree."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    version = await trained(registry, user_id)
    page = (await pages_of(registry, user_id))[0]
    quarantine = "UPDATE correction SET quarantine = 'empty-text', quarantine_reason = 'x' WHERE page_id = $1"
    await rows(quarantine, UUID(page.page_id))
    await activate(registry, user_id, "hebrew_base-1")
    run_id = (await queue(registry, user_id)).run_id
    await publish(registry, run_id, (await claim(registry, run_id)).fence, promote=False)
    await activate(registry, user_id, version)
    done = await delete_page(registry, user_id, page)
    assert list(done.tainted_versions) == [version]
    assert not done.retraining
    assert not await runs_of(registry, user_id, await sweep_runs(registry))


async def test_a_run_that_started_from_a_tainted_model_is_replaced(registry: Registry, rows: Any) -> None:
    """Its dataset has none of the deleted lines, but its parent was trained on them."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id, pages=3)
    version = await trained(registry, user_id)
    page = (await pages_of(registry, user_id))[0]
    quarantine = "UPDATE correction SET quarantine = 'empty-text', quarantine_reason = 'x' WHERE page_id = $1"
    await rows(quarantine, UUID(page.page_id))
    run_id = (await queue(registry, user_id)).run_id
    assert (await claim(registry, run_id)).parent.version == version
    done = await delete_page(registry, user_id, page)
    assert (done.cancelled_run_id, done.retraining) == (run_id, True)
    assert len(await runs_of(registry, user_id, await sweep_runs(registry))) == 1


async def activate(registry: Registry, user_id: UUID, version: str) -> None:
    """Make a version the active one as a user."""
    with acting(user_id), rpc.raise_ketav_errors():
        await registry.models.ActivateModel(models_pb2.ActivateModelRequest(version=version))


async def test_a_user_without_an_own_version_is_served_the_newest_base(
    registry: Registry, rows: Any, tmp_path: Path
) -> None:
    """After the fallback to the base, a newer base serves; the generation never decreases."""
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
    finally:  # the other tests of this module expect one base
        await rows("DELETE FROM model_version WHERE version = $1", newer.model.version)
    await corrected(registry, user_id)
    own = await trained(registry, user_id)
    assert await rows(active, user_id) == [(own, 3)]


async def test_no_run_is_queued_when_too_few_lines_remain(registry: Registry) -> None:
    """8 of 16: `retraining` is false, and the sweep queues no run."""
    user_id = await registry.new_user()
    await without_gap(registry, user_id)
    await corrected(registry, user_id)
    await trained(registry, user_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.tainted_versions
    assert not done.retraining
    assert not await runs_of(registry, user_id, await sweep_runs(registry))


async def test_an_active_run_over_deleted_lines_is_cancelled_and_its_worker_is_refused(
    registry: Registry,
) -> None:
    """In the same transaction; its worker's later calls are stale."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    done = await delete_page(registry, user_id, (await pages_of(registry, user_id))[0])
    assert done.cancelled_run_id == run_id
    run = await get_run(registry, user_id, run_id)
    assert (run.state, run.verdict) == (
        training_pb2.TRAINING_RUN_STATE_CANCELLED,
        "The training run was cancelled because lines that it uses were deleted or withdrawn.",
    )
    with pytest.raises(Stale):
        await publish(registry, run_id, claimed.fence)
    export = ground_truth_pb2.ExportGroundTruthRequest(run_id=run_id, fence=claimed.fence)
    with claiming(export), pytest.raises(Stale), rpc.raise_ketav_errors():
        await registry.ground_truth.ExportGroundTruth(export).read()
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_a_run_over_other_lines_continues(registry: Registry) -> None:
    """Deleting a page without corrections affects no model and no run."""
    user_id, run_id = await queued_run(registry)
    with acting(user_id):
        page = (await create(registry)).page
        await record(registry, page, "לא תוקן")
    done = await delete_page(registry, user_id, page)
    assert not done.cancelled_run_id
    assert (await get_run(registry, user_id, run_id)).state == training_pb2.TRAINING_RUN_STATE_QUEUED


async def delayed(pause: float, call: Coroutine[Any, Any, Any]) -> Any:
    """Await a call after a pause in seconds."""
    await asyncio.sleep(pause)
    return await call


async def test_a_concurrent_publication_is_refused_or_its_version_is_tainted(
    registry: Registry, rows: Any
) -> None:
    """The deletion is before it or after it; a tainted version never serves."""
    user_id = await registry.new_user()
    await corrected(registry, user_id)
    outcomes: list[type] = []
    for number in range(RACES):
        await corrected(registry, user_id, 1, pages=1)
        page = (await pages_of(registry, user_id))[0]
        run_id = (await queue(registry, user_id)).run_id
        claimed = await claim(registry, run_id)

        calls: list[Any] = [
            publish(registry, run_id, claimed.fence),
            delayed(number % 20 / 2000, delete_page(registry, user_id, page)),
        ]
        published, done = await asyncio.gather(*calls, return_exceptions=True)
        assert not isinstance(done, BaseException), done
        run = await get_run(registry, user_id, run_id)
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
    published_count = outcomes.count(models_pb2.ModelVersion)
    assert generations == ([(2 * published_count,)] if published_count else [])


async def test_a_concurrent_new_run_is_cancelled_or_has_no_deleted_line(
    registry: Registry, rows: Any
) -> None:
    """A run that is queued before the deletion is cancelled; one that is queued after it has other lines."""
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
                await get_run(registry, user_id, started.run_id)
            ).state == training_pb2.TRAINING_RUN_STATE_QUEUED
            assert started.training_lines + started.holdout_lines == 16
            request = training_pb2.CancelTrainingRunRequest(run_id=started.run_id)
            with acting(user_id), rpc.raise_ketav_errors():
                await registry.training.CancelTrainingRun(request)
        [(left,)] = await rows("SELECT count(*) FROM dataset_line WHERE page_id = $1", UUID(page.page_id))
        assert left == 0


async def test_a_concurrent_upload_into_a_deleted_project_is_stored_or_not_found(
    registry: Registry,
) -> None:
    """No internal error, no page without its project, no object without a row."""
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
    with acting(user_id), rpc.raise_ketav_errors():
        return (await registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())).erasure


async def of_user(rows: Any, table: str, user_id: UUID) -> list[Any]:
    """Return one item for each row of a table that belongs to a user."""
    column = "id" if table == "account" else "user_id"
    return list(await rows(f"SELECT 1 FROM {table} WHERE {column} = $1", user_id))  # noqa: S608 - our tables


async def test_a_deleted_account_leaves_only_a_record(registry: Registry, rows: Any) -> None:
    """No other row of the user in any table, and no object; another user keeps everything."""
    user_id, other = await registry.new_user("דנה"), await registry.new_user()
    for account in (user_id, other):
        await without_gap(registry, account)
        await corrected(registry, account)
        with acting(account), rpc.raise_ketav_errors():
            await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/hook"))
        await trained(registry, account)
        await corrected(registry, account, hand="Grandmother")
        await trained(registry, account)
        await queue(registry, account)
        job = await jobs.create_job(registry, account)
        await create_export(registry, account, job.project_id)
        with acting(account), rpc.raise_ketav_errors():
            cancel_request = jobs_pb2.CancelJobRequest(job_id=job.job_id, request_id="cancel")
            await registry.jobs.CancelJob(cancel_request)
            session = accounts_pb2.EndSessionRequest(session_id=account.bytes)
            session.expire_time.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
            await registry.accounts.EndSession(session)
    with acting(user_id):
        project_id = (await list_projects(registry)).projects[0].project_id
        await rows("UPDATE account SET name = 'the other' WHERE id = $1", other)
        await set_member(registry, project_id, "the other", "editor")
    for table in OF_A_USER:
        assert await of_user(rows, table, user_id), table
    states_before = await states(registry, other)
    done = await delete_account(registry, user_id)
    assert (done.pages, done.lines, done.corrections) == (4, 32, 32)
    for table in OF_A_USER:
        assert not await of_user(rows, table, user_id), table
    await sweep_store(registry)
    assert not list((registry.blobs / f"models/{user_id}").iterdir())
    assert len(objects(registry, "images")) == 4
    assert await states(registry, other) == states_before
    records = await rows("SELECT * FROM erasure WHERE user_id = $1", user_id)
    assert [row[1:7] for row in records] == [(user_id, "account", 4, 32, 32, 0)]
    with pytest.raises(NotFound):
        await delete_account(registry, user_id)


async def test_a_call_of_a_deleted_user_stores_nothing(registry: Registry) -> None:
    """Another gateway may cache the API key for 3 seconds: NOT_FOUND, no row, no object."""
    user_id = await registry.new_user()
    await delete_account(registry, user_id)
    with acting(user_id), pytest.raises(NotFound):
        await create(registry)
    assert not objects(registry, "images")
    assert await pages_of(registry, user_id) == []


async def test_a_worker_that_trains_for_a_deleted_account_is_refused(registry: Registry) -> None:
    """Its run is deleted: the publication is stale, and the sweep removes its object."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    publication, _ = await asyncio.gather(
        publish(registry, run_id, claimed.fence), delete_account(registry, user_id), return_exceptions=True
    )
    assert isinstance(publication, Stale | models_pb2.ModelVersion)
    with pytest.raises(Stale):
        await publish(registry, run_id, claimed.fence)
    await sweep_store(registry)
    assert not objects(registry, "models") - {f"{path.name}" for path in registry.blobs.glob("models/base/*")}


async def test_an_object_that_cannot_be_removed_stays_in_the_queue(registry: Registry, rows: Any) -> None:
    """The failure is counted; the next sweep removes the object."""
    user_id = await registry.new_user()
    await corrected(registry, user_id, 1)
    for page in await pages_of(registry, user_id):
        await delete_page(registry, user_id, page)
    stored = objects(registry, "images")
    unreachable = Unreachable(registry.stores.blobs)
    with pytest.raises(KetavError):
        await sweep_objects(OrphanSearch(), stores=replace(registry.stores, blobs=unreachable))
    attempts = "SELECT attempts FROM object_removal WHERE user_id = $1 ORDER BY 1"
    assert await rows(attempts, user_id) == [(0,), (1,)]
    assert objects(registry, "images") == stored
    await sweep_store(registry)
    assert await rows(attempts, user_id) == []
    assert not objects(registry, "images") & {page for page in stored if len(page) == 36}


async def test_orphans_are_removed_although_a_queued_object_cannot_be(registry: Registry, age: Any) -> None:
    """The error is raised after the search for orphans."""
    user_id = await registry.new_user()
    await corrected(registry, user_id, 1, pages=1)
    [page] = await pages_of(registry, user_id)
    await delete_page(registry, user_id, page)
    orphan = registry.blobs / f"images/ab/{uuid4()}"
    age(orphan, 2)
    stuck = Unreachable(registry.stores.blobs, page.page_id)
    for _ in range(2):
        with pytest.raises(KetavError, match="unreachable"):
            await sweep_objects(OrphanSearch(), stores=replace(registry.stores, blobs=stuck))
        assert not orphan.exists()
    await sweep_store(registry)
    assert page.page_id not in objects(registry, "images")


class Unreachable:
    """A store that cannot remove objects, or some of them."""

    def __init__(self, blobs: Any, part: str = "") -> None:
        """Work on a store; keys that contain `part` cannot be removed."""
        self._blobs, self._part = blobs, part

    def __getattr__(self, name: str) -> Any:
        """Return the other methods of the store."""
        return getattr(self._blobs, name)

    async def remove(self, key: str) -> None:
        """Raise for a key that cannot be removed."""
        if self._part in key:
            raise KetavError("unreachable", code="unavailable")
        await self._blobs.remove(key)


async def test_only_orphans_older_than_a_day_are_removed(registry: Registry, age: Any) -> None:
    """Images and models without a row; younger ones, referenced ones, bases and other files stay."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    referenced = objects(registry, "images") | objects(registry, "models")
    orphans = [
        f"images/ab/{uuid4()}",
        f"images/{'cd' * 1}/{'cd' * 32}",
        f"models/{user_id}/{uuid4()}.safetensors",
    ]
    young = f"images/ab/{uuid4()}"
    for key in (*orphans, young, "models/base/of-the-operator"):
        age(registry.blobs / key, 0 if key == young else 2)
    for path in registry.blobs.glob("*/*/*"):
        if path.name in referenced:
            age(path, 2)
    await sweep_store(registry)
    assert not [key for key in orphans if (registry.blobs / key).exists()]
    assert objects(registry, "images") | objects(registry, "models") == {
        *referenced,
        young.rpartition("/")[2],
        "of-the-operator",
    }


@pytest.fixture
def age() -> Any:
    """Return a function that creates a file if it is missing, and sets its time some days back."""

    def write(path: Path, days: float) -> None:
        """Create the file and set its time."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(b"x")
        when = datetime.now(UTC).timestamp() - days * 86_400
        os.utime(path, (when, when))

    return write


async def test_nothing_is_removed_when_most_objects_have_no_row(registry: Registry, age: Any) -> None:
    """The database is then a wrong or a restored one: crashes leave few orphans."""
    files = [registry.blobs / f"images/ab/{uuid4()}" for _ in range(30)]
    for path in files:
        age(path, 3)
    await sweep_store(registry)
    assert all(path.exists() for path in files)
