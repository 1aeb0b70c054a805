"""`ketav admin backup` and `restore`: folders and buckets, running systems, damaged and old backups."""

import asyncio
import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command

from ketav.registry.v1 import accounts_pb2
from ketav_common.errors import InvalidInput, Stale
from ketav_registry.backup.manifest import Manifest, read_manifest
from ketav_registry.backup.manifest import verify as verify_backup
from ketav_registry.blobs import BlobStore
from ketav_registry.database import newest_revision
from ketav_registry.migrate import alembic_config, upgrade
from ketav_registry.usecases import accounts
from ketav_registry.usecases.object_removal import OrphanSearch, sweep_objects
from tests.parts import jobs
from tests.parts.operations import OperatedSystem, system_on_folder, system_on_s3
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    IMAGE,
    Registry,
    acting,
    claim,
    correct,
    create,
    delete_page,
    download,
    get_run,
    pages_of,
    publish,
    queue,
    report,
    serving,
    sweep_runs,
)
from tests.parts.s3 import S3Server


async def fill(registry: Registry) -> tuple[UUID, str]:
    """Add a user with pages, corrections, a model, an active run and a job in progress; return id and key."""
    user_id, key = await accounts.add_user("דנה", stores=registry.stores)
    with acting(user_id):
        await correct(registry, 8)
    run = await queue(registry, user_id)
    await publish(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    with acting(user_id):
        await correct(registry, 8)
    await claim(registry, (await queue(registry, user_id)).run_id)
    await jobs.create_job(registry, user_id)
    await jobs.next_page(registry)
    return user_id, key


Make = Callable[[Path], OperatedSystem]


@pytest.fixture(params=["folder to bucket", "bucket to folder"])
def systems(
    request: pytest.FixtureRequest, postgres: PostgresServer, s3: S3Server, tmp_path: Path
) -> tuple[OperatedSystem, OperatedSystem]:
    """Return the system to back up, and an empty host: a database without a schema."""
    if request.param == "folder to bucket":
        return (
            system_on_folder(postgres, tmp_path / "old"),
            system_on_s3(postgres, s3, tmp_path / "new", migrated=False),
        )
    return (
        system_on_s3(postgres, s3, tmp_path / "old"),
        system_on_folder(postgres, tmp_path / "new", migrated=False),
    )


def without_leases(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the rows of all tables but runs and pages of jobs, whose leases a restore ends."""
    return {name: content for name, content in rows.items() if name not in {"training_run", "job_page"}}


async def test_a_backup_moves_a_system_to_an_empty_host(
    systems: tuple[OperatedSystem, OperatedSystem], tmp_path: Path
) -> None:
    """All rows are equal, the API key works, images are whole, the user's model serves."""
    old, new = systems
    async with old.registry() as registry:
        user_id, key = await fill(registry)
        printed = await old.run("admin", "backup", str(tmp_path / "backup"))
    assert "7 objects" in printed  # four images, the base, the user's model, the document of the job
    assert printed.splitlines()[-1].partition(": ")[2] in await new.run(
        "admin", "restore", str(tmp_path / "backup")
    )
    assert without_leases(new.rows()) == without_leases(old.rows())
    assert "7 objects" in (checked := await new.run("admin", "fsck"))
    assert "no findings" in checked
    async with new.registry() as registry:
        request = accounts_pb2.ResolveApiKeyRequest(key_sha256=hashlib.sha256(key.encode()).digest())
        with acting(None, "gateway"):
            assert (await registry.accounts.ResolveApiKey(request)).user_id == str(user_id)
        assert await serving(registry, user_id) not in {"", "hebrew_base-1"}
        pages = await pages_of(registry, user_id)
        assert len(pages) == 4
        with acting(user_id):
            content = b"".join([part.chunk for part in await download(registry, pages[0])])
            assert content[:2000] == IMAGE[:2000]
            await correct(registry, 2)  # the numbers of corrections continue


async def test_an_active_run_continues_and_its_earlier_worker_is_refused(
    systems: tuple[OperatedSystem, OperatedSystem], tmp_path: Path
) -> None:
    """Even a worker that has claimed the run after the backup has a lower fence than the next claim."""
    old, new = systems
    async with old.registry() as registry:
        user_id = await registry.new_user()
        with acting(user_id):
            await correct(registry, 8)
        run_id = (await queue(registry, user_id)).run_id
        before = (await claim(registry, run_id)).fence
        await old.run("admin", "backup", str(tmp_path / "backup"))
    await new.run("admin", "restore", str(tmp_path / "backup"))
    async with new.registry() as registry:
        assert run_id in await sweep_runs(registry)
        after = (await claim(registry, run_id)).fence
        for stale in range(before, before + 5):
            assert after > stale
            with pytest.raises(Stale):
                await report(registry, run_id, stale)
        await publish(registry, run_id, after)
        assert (await get_run(registry, user_id, run_id)).model_version


async def test_a_job_continues_and_its_earlier_worker_is_refused(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The document and the pages that were read are there; the page in progress is claimed again."""
    old = system_on_folder(postgres, tmp_path / "old")
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    async with old.registry() as registry:
        user_id = await registry.new_user()
        job = await jobs.create_job(registry, user_id, pages=2)
        await jobs.read(registry, await jobs.next_page(registry))
        earlier = await jobs.next_page(registry)
        await old.run("admin", "backup", str(tmp_path / "backup"))
    await new.run("admin", "restore", str(tmp_path / "backup"))
    async with new.registry() as registry:
        with pytest.raises(Stale):
            await jobs.end(registry, earlier, failure=jobs.failure())
        assert await jobs.sweep(registry) == 1
        later = await jobs.next_page(registry)
        assert later.position == earlier.position
        with pytest.raises(Stale):
            await jobs.end(registry, earlier, failure=jobs.failure())
        assert await jobs.document(registry, later) == jobs.DOCUMENT
        await jobs.read(registry, later)
        assert jobs.states(await jobs.get_job(registry, user_id, job.job_id)) == "dd"


async def test_rows_that_are_deleted_during_a_backup_keep_their_objects_until_it_ends(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot has the rows. The sweep waits for the end of the backup, and then removes the objects."""
    from ketav_registry.backup import create as creation

    old = system_on_folder(postgres, tmp_path / "old")
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    async with old.registry() as registry:
        user_id, _ = await fill(registry)
        [first, *_] = await pages_of(registry, user_id)
        copy_objects = creation._copy_objects

        async def delete_then_copy(*arguments: Any) -> Any:
            """Delete a page after the snapshot, sweep, then copy."""
            await delete_page(registry, user_id, first)
            await sweep_objects(OrphanSearch(), stores=registry.stores)
            return await copy_objects(*arguments)

        monkeypatch.setattr(creation, "_copy_objects", delete_then_copy)
        stores = registry.stores
        manifest = await creation.create_backup(
            tmp_path / "backup",
            old.environment["KETAV_DATABASE_URL"],
            stores.blobs,
            lambda _: None,
        )
        assert manifest.objects == 7  # the document of the job, too
        images = list((old.folder / "blobs" / "images").rglob("*"))
        await sweep_objects(OrphanSearch(), stores=stores)
        assert len(list((old.folder / "blobs" / "images").rglob("*"))) < len(images)
    await new.run("admin", "restore", str(tmp_path / "backup"))
    async with new.registry() as registry:
        assert len(await pages_of(registry, user_id)) == 4


async def test_a_backup_is_consistent_while_users_write(postgres: PostgresServer, tmp_path: Path) -> None:
    """Pages are created and deleted and sweeps run all the time; no restored page lacks its image."""
    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        user_id = await registry.new_user()
        stop = asyncio.Event()

        async def write() -> None:
            """Create pages, delete every second one, sweep."""
            number = 0
            while not stop.is_set():
                number += 1
                with acting(user_id):
                    page = (await create(registry, IMAGE[:2000] + bytes([number % 256]))).page
                if number % 2:
                    await delete_page(registry, user_id, page)
                    await sweep_objects(OrphanSearch(), stores=registry.stores)

        writing = asyncio.create_task(write())
        for number in range(3):
            await asyncio.sleep(0.3)
            await old.run("admin", "backup", str(tmp_path / f"backup-{number}"))
        stop.set()
        await writing
    for number in range(3):
        new = system_on_folder(postgres, tmp_path / f"new-{number}", migrated=False)
        await new.run("admin", "restore", str(tmp_path / f"backup-{number}"))
        async with new.registry() as registry:
            for page in await pages_of(registry, user_id):
                with acting(user_id):
                    assert sum(len(part.chunk) for part in await download(registry, page)) == 2001


def backup_of(postgres: PostgresServer, tmp_path: Path) -> Path:
    """Return a backup of a filled system."""

    async def make() -> None:
        """Fill a system and back it up."""
        old = system_on_folder(postgres, tmp_path / "old")
        async with old.registry() as registry:
            await fill(registry)
            await old.run("admin", "backup", str(tmp_path / "backup"))

    asyncio.run(make())
    return tmp_path / "backup"


def test_a_backup_is_readable_by_its_owner_alone_and_has_no_secret_of_the_services(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Folders 0700, files 0600; API keys are digests."""
    folder = backup_of(postgres, tmp_path)
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {True: 0o700, False: 0o600}
    assert not any(b"ktv_" in path.read_bytes() for path in folder.rglob("*.copy"))
    assert not folder.with_name("backup.partial").exists()
    assert json.loads((folder / "manifest.json").read_text())["schema_revision"] == newest_revision()


def test_a_backup_never_overwrites_a_folder(postgres: PostgresServer, tmp_path: Path) -> None:
    """A folder with contents is refused."""
    folder = backup_of(postgres, tmp_path)
    old = system_on_folder(postgres, tmp_path / "other")
    assert "is not empty" in old.ketav("admin", "backup", str(folder), status=1)


@pytest.mark.parametrize("damaged", ["tables/line.copy", "objects.tsv", "manifest.json", "object"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    postgres: PostgresServer, tmp_path: Path, damaged: str
) -> None:
    """A changed byte of any file; the sentence names the file."""
    folder = backup_of(postgres, tmp_path)
    path = next((folder / "objects" / "images").rglob("*/*")) if damaged == "object" else folder / damaged
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    refused = new.ketav("admin", "restore", str(folder), status=1)
    assert path.name in refused
    assert "alembic_version" not in new.rows()
    assert not (tmp_path / "new" / "blobs").exists()


def test_a_system_with_users_or_foreign_objects_is_not_restored_into(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Base models of a new installation are replaced; anything else is refused."""
    folder = backup_of(postgres, tmp_path)
    used = system_on_folder(postgres, tmp_path / "used")
    used.ketav("admin", "users", "add", "guest")
    assert "the table account has rows" in used.ketav("admin", "restore", str(folder), status=1)
    foreign = system_on_folder(postgres, tmp_path / "foreign", migrated=False)
    (tmp_path / "foreign" / "blobs" / "images" / "ab").mkdir(parents=True)
    (tmp_path / "foreign" / "blobs" / "images" / "ab" / "cd").write_bytes(b"x")
    assert "images/ab/cd" in foreign.ketav("admin", "restore", str(folder), status=1)


async def test_the_bases_of_a_new_installation_are_replaced(postgres: PostgresServer, tmp_path: Path) -> None:
    """`docker compose up` has migrated the database and imported the base before the restore."""
    folder = await asyncio.to_thread(backup_of, postgres, tmp_path)
    new = system_on_folder(postgres, tmp_path / "new")
    async with new.registry():
        pass
    await new.run("admin", "restore", str(folder))
    assert [user["name"] for user in await asyncio.to_thread(new.ketav_json, "admin", "users", "list")]


async def test_a_backup_of_an_older_schema_is_migrated_forward(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The rows are loaded into the schema of the backup, which is then upgraded."""
    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        user_id, _ = await fill(registry)
    await asyncio.to_thread(command.downgrade, alembic_config(postgres.url(old.database)), "0009")
    assert "schema 0009" in await old.run("admin", "backup", str(tmp_path / "backup"))
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    await new.run("admin", "restore", str(tmp_path / "backup"))
    assert newest_revision() in str(new.rows()["alembic_version"])
    async with new.registry() as registry:
        assert len(await pages_of(registry, user_id)) == 4


def test_a_backup_of_an_unknown_schema_is_refused(postgres: PostgresServer, tmp_path: Path) -> None:
    """It was made by a newer version."""
    folder = backup_of(postgres, tmp_path)
    rewrite(folder, schema_revision="9999")
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    assert "9999, which this version does not know" in new.ketav("admin", "restore", str(folder), status=1)


async def test_a_missing_object_is_named_and_left_out_on_request(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """The repeated command takes the objects that were copied already."""
    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        await fill(registry)
    lost = next((tmp_path / "old" / "blobs" / "images").rglob("*/*"))
    lost.unlink()
    refused = await old.run("admin", "backup", str(tmp_path / "backup"), status=1)
    assert lost.name in refused
    assert not (tmp_path / "backup").exists()
    await old.run("admin", "backup", str(tmp_path / "backup"), "--allow-missing")
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    await new.run("admin", "restore", str(tmp_path / "backup"))


async def test_an_owner_that_is_no_superuser_can_restore(postgres: PostgresServer, tmp_path: Path) -> None:
    """Row-level security applies to such an owner, and is in force again afterwards."""
    folder = await asyncio.to_thread(backup_of, postgres, tmp_path)
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    if not postgres.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ketav_owner'"):
        postgres.execute("CREATE ROLE ketav_owner LOGIN NOSUPERUSER")
    postgres.execute(f'ALTER DATABASE "{new.database}" OWNER TO ketav_owner')
    owned = OwnedSystem(new.postgres, new.folder, new.database, new.blob_url)
    await owned.run("admin", "restore", str(folder))
    unforced = (
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND NOT relforcerowsecurity"
    )
    assert postgres.execute(unforced, new.database) == []


class OwnedSystem(OperatedSystem):
    """A system whose schema belongs to a role that is no superuser."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables of commands."""
        owner = self.postgres.url(self.database, "ketav_owner")
        return super().environment | {"KETAV_MIGRATION_DATABASE_URL": owner}


def test_only_one_backup_runs_at_a_time(postgres: PostgresServer, tmp_path: Path) -> None:
    """The second is refused; the lock ends with the connection of the first."""
    old = system_on_folder(postgres, tmp_path / "old")
    upgrade(postgres.url(old.database))

    async def back_up_while_locked() -> str:
        """Hold the lock as another backup does."""
        import asyncpg

        from ketav_registry.repository.object_removal import REMOVAL_LOCK

        other = await asyncpg.connect(postgres.url(old.database))
        try:
            await other.execute(f"SELECT pg_advisory_lock({REMOVAL_LOCK})")
            return await old.run("admin", "backup", str(tmp_path / "backup"), status=1)
        finally:
            await other.close()

    assert "Another backup runs." in asyncio.run(back_up_while_locked())
    (tmp_path / "old" / "blobs").mkdir(exist_ok=True)
    old.ketav("admin", "backup", str(tmp_path / "backup"))


async def test_the_lock_is_held_until_the_backup_has_its_name(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second backup into the same folder would replace files that the first has verified."""
    from ketav_registry.backup import create as creation

    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry():
        pass
    verify = verify_backup
    refused: list[str] = []

    async def verify_while_another_backup_starts(folder: Path, manifest: Manifest) -> None:
        """Start a second backup after the first has verified its files."""
        await verify(folder, manifest)
        monkeypatch.setattr(creation, "verify", verify)
        monkeypatch.setattr(creation, "_LOCK_TIMEOUT_S", 1)
        refused.append(await old.run("admin", "backup", str(tmp_path / "backup"), status=1))

    monkeypatch.setattr(creation, "verify", verify_while_another_backup_starts)
    await old.run("admin", "backup", str(tmp_path / "backup"))
    assert "Another backup runs." in refused[0]
    await verify(tmp_path / "backup", read_manifest(tmp_path / "backup"))


async def test_the_current_folder_is_filled_when_it_is_empty(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.` has no name of its own, and neither has `..`."""
    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry():
        pass
    (tmp_path / "backup" / "inside").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "backup" / "inside")
    await old.run("admin", "backup", ".")
    assert (tmp_path / "backup" / "inside" / "manifest.json").is_file()


def test_a_mounted_folder_is_refused_before_anything_is_written(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder with `.partial` in its name would be on another disk, and could not be renamed."""
    old = system_on_folder(postgres, tmp_path / "old")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path == mounted)
    assert "Pass a folder inside it" in old.ketav("admin", "backup", str(mounted), status=1)
    assert not (tmp_path / "mounted.partial").exists()


async def test_an_interrupted_backup_needs_no_space_for_what_it_has_already(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has space for one backup, and half of it is written."""
    from ketav_registry.backup import create as creation

    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        await fill(registry)
    monkeypatch.setattr(creation, "_free_bytes", lambda _folder: 0)
    assert "0 MiB are free" in await old.run("admin", "backup", str(tmp_path / "backup"), status=1)
    written = tmp_path / "backup.partial" / "objects" / "written"
    written.parent.mkdir(parents=True)
    with written.open("wb") as file:
        file.truncate(1 << 40)
    await old.run("admin", "backup", str(tmp_path / "backup"))


def rewrite(folder: Path, **changes: Any) -> None:
    """Change fields of a backup's manifest."""
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "changes",
    [
        {"objects": "many"},
        {"object_bytes": None},
        {"schema_revision": 7},
        {"missing_objects": [1]},
        {"tables": [{"name": "../../secret", "columns": [], "rows": 0, "size_bytes": 0, "sha256": ""}]},
        {"tables": [{"name": "line", "columns": "id", "rows": "x", "size_bytes": 0, "sha256": ""}]},
        {"tables": [{"name": "line", "columns": [["id"]], "rows": 1, "size_bytes": 0, "sha256": ""}]},
    ],
)
def test_a_manifest_with_wrong_values_is_refused(
    postgres: PostgresServer, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """Types and names are checked before a file is opened."""
    folder = backup_of(postgres, tmp_path)
    rewrite(folder, **changes)
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    assert "manifest.json is missing or damaged" in new.ketav("admin", "restore", str(folder), status=1)


async def test_a_manifest_that_leaves_out_a_table_is_refused(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    """Its rows would be missing in the restored system, and nothing else would say so."""
    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        await fill(registry)
    folder = tmp_path / "backup"
    await old.run("admin", "backup", str(folder))
    tables = json.loads((folder / "manifest.json").read_text())["tables"]
    rewrite(folder, tables=[table for table in tables if table["name"] != "correction"])
    (folder / "tables" / "correction.copy").unlink()
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    printed = await new.run("admin", "restore", str(folder), status=1)
    assert "differ in the table correction. Use another copy of the backup." in printed


def test_a_manifest_of_nested_lists_is_refused(tmp_path: Path) -> None:
    """The JSON parser has a limit of depth."""
    (tmp_path / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(InvalidInput, match=r"manifest\.json is missing or damaged"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "../../secret\t00\t1\n",
        "/etc/passwd\t00\t1\n",
        "images/a\0b\t00\t1\n",
        "images/a\t00\n",
        "images/a\t00\tx\n",
    ],
    ids=["parent", "absolute", "NUL", "two fields", "no number"],
)
def test_a_wrong_list_of_objects_is_refused(postgres: PostgresServer, tmp_path: Path, line: str) -> None:
    """Even if the manifest has the digest of the list."""
    folder = backup_of(postgres, tmp_path)
    (folder / "objects.tsv").write_text(line)
    rewrite(folder, object_list_sha256=hashlib.sha256(line.encode()).hexdigest())
    new = system_on_folder(postgres, tmp_path / "new", migrated=False)
    assert "objects.tsv" in new.ketav("admin", "restore", str(folder), status=1)
    assert "alembic_version" not in new.rows()


async def test_rows_that_arrive_during_a_restore_are_not_mixed_with_those_of_the_backup(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another restore, or a service that runs, fills the system while objects are stored."""
    from ketav_registry.backup import restore as restoring

    old = system_on_folder(postgres, tmp_path / "old")
    async with old.registry() as registry:
        await fill(registry)
    await old.run("admin", "backup", str(tmp_path / "backup"))
    new = system_on_folder(postgres, tmp_path / "new")
    store = restoring._store_objects
    before: dict[str, list[str]] = {}

    async def store_while_a_user_arrives(folder: Path, manifest: Manifest, blobs: BlobStore) -> None:
        """Fill the system with a user and a model before the rows are loaded."""
        await store(folder, manifest, blobs)
        async with new.registry() as registry:
            await registry.new_user()
        before.update(new.rows())

    monkeypatch.setattr(restoring, "_store_objects", store_while_a_user_arrives)
    refused = await new.run("admin", "restore", str(tmp_path / "backup"), status=1)
    assert "the table account has rows" in refused
    assert before["model_version"]
    assert new.rows() == before
