"""`ketav admin fsck`: findings about rows, objects, hashes, models and runs, and their repair."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav_registry.fsck.check import check
from ketav_registry.fsck.findings import Scope
from ketav_registry.usecases.object_removal import OrphanSearch, sweep_objects
from tests.parts import jobs
from tests.parts.operations import OperatedSystem, system_on_folder, system_on_s3
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
    safetensors,
    serving,
    sweep_runs,
)
from tests.parts.s3 import S3Server

OLD = time.time() - 48 * 3600


@pytest.fixture
def system(postgres: PostgresServer, tmp_path: Path) -> OperatedSystem:
    """Return a system whose objects are files."""
    return system_on_folder(postgres, tmp_path / "system")


@pytest.fixture
async def registry(system: OperatedSystem) -> AsyncIterator[Registry]:
    """Run its registry."""
    async with system.registry() as running:
        yield running


async def findings(system: OperatedSystem, *options: str, status: int = 0) -> list[tuple[str, bool]]:
    """Run the command; return the kinds of its findings, and whether each is repaired."""
    listed = await asyncio.to_thread(system.ketav_json, "admin", "fsck", *options, status=status)
    return sorted((row["finding"], row["repaired"]) for row in listed)


def image_of(system: OperatedSystem, page_id: str) -> Path:
    """Return the file of a page's image."""
    [path] = (system.folder / "blobs" / "images").rglob(f"*{page_id}*")
    return path


async def trained(registry: Registry, user_id: UUID) -> str:
    """Train and promote a model of a user; return its version."""
    with acting(user_id):
        await correct(registry, 8)
    run_id = (await queue(registry, user_id)).run_id
    return (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version


async def test_the_document_of_a_job_is_checked_until_the_job_ends(
    system: OperatedSystem, registry: Registry
) -> None:
    """Damaged and missing ones are named; a repair changes nothing, and an orphan of a job is removed."""
    user_id = await registry.new_user()
    await jobs.create_job(registry, user_id, pages=1)
    [file] = (system.folder / "blobs" / "documents").glob("*/*")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + b"!")
    assert await findings(system, status=1) == [("document-damaged", False)]
    file.unlink()
    assert await findings(system, "--repair", status=1) == [("document-missing", False)]
    file.write_bytes(content)
    orphan = file.with_name(str(uuid4()))
    orphan.write_bytes(b"x")
    os.utime(orphan, (OLD, OLD))
    assert await findings(system, "--repair") == [("orphan", True)]
    await jobs.read(registry, await jobs.next_page(registry))
    await sweep_objects(OrphanSearch(), stores=registry.stores)
    assert not file.exists()
    assert await findings(system) == []


async def test_a_whole_system_has_no_findings(system: OperatedSystem, registry: Registry) -> None:
    """Pages, corrections, a model of a user, a queued run, a deleted page."""
    user_id = await registry.new_user()
    await trained(registry, user_id)
    await queued_run(registry)
    with acting(user_id):
        page = (await create(registry)).page
    await delete_page(registry, user_id, page)
    assert await findings(system) == []
    assert "no findings" in await system.run("admin", "fsck", "--no-hashes")


async def test_a_bucket_is_checked_like_a_folder(
    postgres: PostgresServer, s3: S3Server, tmp_path: Path
) -> None:
    """A missing object and one without a row."""
    system = system_on_s3(postgres, s3, tmp_path / "system")
    bucket = system.blob_url.rpartition("/")[2].partition("?")[0]
    async with system.registry() as registry:
        user_id = await registry.new_user()
        with acting(user_id):
            page = (await create(registry)).page
        assert await findings(system) == []
        key = f"images/{page.page_id.replace('-', '')[:2]}/{page.page_id}"
        s3.client.copy_object(
            bucket_name=bucket, object_name=f"images/zz/{uuid4()}", source=_source(bucket, key)
        )
        s3.client.remove_object(bucket_name=bucket, object_name=key)
        assert await findings(system, "--grace-hours", "0", status=1) == [
            ("image-missing", False),
            ("orphan", False),
        ]
        assert ("orphan", True) in await findings(system, "--grace-hours", "0", "--repair", status=1)


def _source(bucket: str, key: str) -> Any:
    """Return the source of a copy within a bucket."""
    from minio.commonconfig import CopySource

    return CopySource(bucket_name=bucket, object_name=key)


async def test_a_lost_or_damaged_image_is_named_and_stays(system: OperatedSystem, registry: Registry) -> None:
    """Only a backup has it, so a repair leaves the page as it is."""
    user_id = await registry.new_user()
    with acting(user_id):
        lost, damaged = [(await create(registry)).page for _ in range(2)]
    image_of(system, lost.page_id).unlink()
    content = image_of(system, damaged.page_id).read_bytes()
    image_of(system, damaged.page_id).write_bytes(content[:-1] + b"x")
    expected = [("image-damaged", False), ("image-missing", False)]
    assert await findings(system, status=1) == expected
    assert await findings(system, "--repair", status=1) == expected
    assert await findings(system, "--no-hashes", status=1) == [("image-missing", False)]
    printed = await system.run("admin", "fsck", status=1)
    assert lost.page_id in printed
    assert "Restore it, or delete the page." in printed
    for page in await pages_of(registry, user_id):
        await delete_page(registry, user_id, page)
    assert await findings(system) == []


async def test_an_old_object_without_a_row_is_deleted_on_request(
    system: OperatedSystem, registry: Registry
) -> None:
    """A new one may belong to an upload under way; a file of a base is never removed."""
    folder = system.folder / "blobs"
    orphan, new = (folder / "images" / "ab" / str(uuid4()) for _ in range(2))
    base = folder / "models" / "base" / "unused.safetensors"
    orphan.parent.mkdir(parents=True)
    for path in (orphan, new, base):
        path.write_bytes(b"x")
    for path in (orphan, base):
        os.utime(path, (OLD, OLD))
    assert await findings(system, status=1) == [("orphan", False)]
    assert await findings(system, "--repair") == [("orphan", True)]
    assert [path.exists() for path in (orphan, new, base)] == [False, True, True]
    assert await findings(system) == []
    assert registry.stores


async def test_many_orphans_are_not_deleted(system: OperatedSystem, registry: Registry) -> None:
    """They mean that the database is not the one of this store: an older or another one."""
    folder = system.folder / "blobs" / "images" / "ab"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"orphan-{number}").write_bytes(b"x")
        os.utime(folder / f"orphan-{number}", (OLD, OLD))
    assert await findings(system, "--repair", status=1) == [("orphan", False)] * 40
    assert len(list(folder.iterdir())) == 40
    assert registry.stores


@pytest.mark.parametrize("damage", ["missing", "damaged"])
async def test_the_previous_version_serves_when_the_file_of_the_active_one_is_lost(
    system: OperatedSystem, registry: Registry, damage: str
) -> None:
    """A repair retires the version; without an ancestor the base serves. A backup leaves the file out."""
    user_id = await registry.new_user()
    versions = [await trained(registry, user_id), await trained(registry, user_id)]
    for lost, successor in ((versions[1], versions[0]), (versions[0], "hebrew_base-1")):
        assert await serving(registry, user_id) == lost
        file = system.folder / "blobs" / "models" / str(user_id) / f"{lost}.safetensors"
        file.unlink() if damage == "missing" else file.write_bytes(b"x")
        assert await findings(system, status=1) == [(f"model-{damage}", False)]
        assert await findings(system, "--repair") == [(f"model-{damage}", True)]
        assert await serving(registry, user_id) == successor
        assert await findings(system) == []
    await system.run("admin", "backup", str(system.folder / "backup"))


async def test_models_are_not_retired_when_all_objects_are_missing(
    system: OperatedSystem, registry: Registry
) -> None:
    """An empty folder or another bucket: a repair would take the models of all users out of service."""
    user_id = await registry.new_user()
    version = await trained(registry, user_id)
    blobs = system.folder / "blobs"
    blobs.rename(system.folder / "unmounted")
    (blobs / ".incoming").mkdir(parents=True)
    listed = await findings(system, "--repair", status=1)
    assert ("model-missing", False) in listed
    assert ("model-missing", True) not in listed
    shutil.rmtree(blobs)
    (system.folder / "unmounted").rename(blobs)
    assert await serving(registry, user_id) == version
    assert await findings(system) == []


async def test_the_last_base_is_not_retired(system: OperatedSystem, registry: Registry) -> None:
    """An older base replaces a newer one whose file is lost."""
    file = system.folder / "second.safetensors"
    file.write_bytes(safetensors(b"second"))
    await system.run("models", "import", "--trusted", str(file), "--name", "hebrew_base")
    user_id = await registry.new_user()
    assert await serving(registry, user_id) == "hebrew_base-2"
    first, second = sorted((system.folder / "blobs" / "models" / "base").iterdir(), key=os.path.getmtime)
    second.unlink()
    assert await findings(system, "--repair") == [("model-missing", True)]
    assert await serving(registry, user_id) == "hebrew_base-1"
    first.unlink()
    assert await findings(system, "--repair", status=1) == [("model-missing", False)]
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_an_active_version_that_never_serves_is_replaced(
    system: OperatedSystem, registry: Registry
) -> None:
    """As after a change of rows by hand."""
    user_id = await registry.new_user()
    versions = [await trained(registry, user_id), await trained(registry, user_id)]
    change = "UPDATE model_version SET state = 'tainted' WHERE version = $1"
    system.postgres.execute(change, system.database, versions[1])
    assert ("active-model", False) in await findings(system, status=1)
    assert ("active-model", True) in await findings(system, "--repair", "--grace-hours", "48")
    assert await serving(registry, user_id) == versions[0]


async def test_runs_that_no_worker_can_continue_are_freed(system: OperatedSystem, registry: Registry) -> None:
    """One without a lease is queued by the next sweep; one without attempts fails."""
    (_, run_id), (_, exhausted) = [await queued_run(registry) for _ in range(2)]
    await claim(registry, run_id)
    execute = system.postgres.execute
    execute("UPDATE training_run SET lease_until = NULL WHERE id = $1", system.database, UUID(run_id))
    execute("UPDATE training_run SET attempts = 5 WHERE id = $1", system.database, UUID(exhausted))
    assert run_id not in await sweep_runs(registry)
    expected = ["run-exhausted", "run-without-lease"]
    assert await findings(system, status=1) == [(kind, False) for kind in expected]
    assert await findings(system, "--repair") == [(kind, True) for kind in expected]
    assert run_id in await sweep_runs(registry)
    assert await findings(system) == []


async def test_a_system_without_a_base_has_a_finding_for_each_script(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Pages of five scripts cannot be read."""
    system = system_on_folder(postgres, tmp_path / "empty")
    assert await findings(system, status=1) == [("no-base-model", False)] * 5


async def test_pages_that_are_deleted_during_a_check_are_no_findings(
    system: OperatedSystem, registry: Registry
) -> None:
    """The row is looked up again before a missing object is reported."""
    user_id = await registry.new_user()
    with acting(user_id):
        for number in range(30):
            await create(registry, bytes([number]) * 1000)
    scope = Scope(hashes=True, orphans_before=datetime.now(UTC))
    checking = asyncio.create_task(check(scope, stores=registry.stores))
    for page in await pages_of(registry, user_id):
        await delete_page(registry, user_id, page)
        await sweep_objects(OrphanSearch(), stores=registry.stores)
    assert (await checking).findings == []
