"""The command `ketav`, the registry's process, and its behaviour when a store is unavailable."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc, pages_pb2, projects_pb2
from ketav_common import rpc
from ketav_common.errors import KetavError, NotFound, TimedOut, Unavailable
from ketav_registry.cli import app
from ketav_registry.database import Database
from tests.parts.identities import SIGNER, identity_keys
from tests.parts.postgres import PostgresServer, postgres_server
from tests.parts.processes import free_port, running, suspended
from tests.parts.registry import acting, create, registry_server, safetensors


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
def environment(
    postgres: PostgresServer, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Set the environment that an operator sets."""
    settings = {
        "KETAV_DATABASE_URL": postgres.url(database, "ketav_service"),
        "KETAV_MIGRATION_DATABASE_URL": postgres.url(database),
        "KETAV_BLOB_URL": f"file://{tmp_path}/blobs",
        **identity_keys("registry"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings


def ketav(*arguments: str, status: int = 0) -> str:
    """Run the command and return its output."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    return result.output.strip()


@pytest.mark.usefixtures("environment")
def test_a_key_is_printed_once_and_stored_as_its_digest(postgres: PostgresServer, database: str) -> None:
    """`ktv_`, 8 characters that name the key, 32 random bytes; `revoke` sets `revoked_at`."""
    ketav("migrate")
    key = ketav("users", "add", "דנה")
    marker, prefix, secret = key.split("_", 2)
    assert (marker, len(prefix), len(secret)) == ("ktv", 8, 43)
    query = "SELECT prefix, revoked_at FROM api_key WHERE sha256 = $1"
    digest = hashlib.sha256(key.encode()).digest()
    assert [tuple(row) for row in postgres.execute(query, database, digest)] == [(prefix, None)]
    ketav("users", "revoke", prefix)
    [row] = postgres.execute(query, database, digest)
    assert row["revoked_at"] is not None
    assert "no valid API key with this prefix" in ketav("users", "revoke", prefix, status=1)


def test_migrate_reads_its_urls_from_files(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an operator mounts them; without any URL the command names the variable."""
    for name in ("KETAV_DATABASE_URL", "KETAV_MIGRATION_DATABASE_URL"):
        monkeypatch.delenv(name)
    assert "KETAV_MIGRATION_DATABASE_URL is not set." in " ".join(ketav("migrate", status=1).split())
    url = environment["KETAV_MIGRATION_DATABASE_URL"]
    (tmp_path / "KETAV_MIGRATION_DATABASE_URL").write_text(url, encoding="utf-8")
    monkeypatch.setenv("KETAV_SECRETS_DIR", str(tmp_path))
    ketav("migrate")


@pytest.mark.usefixtures("environment")
def test_importing_a_base_again_changes_nothing_and_a_new_file_is_the_next_version(tmp_path: Path) -> None:
    """The versions of a name are numbered; a base can have a script."""
    file = tmp_path / "base.safetensors"
    file.write_bytes(safetensors(b"one"))
    assert ketav("models", "import", "--trusted", str(file), "--name", "hebrew_base") == "hebrew_base-1"
    assert ketav("models", "import", "--trusted", str(file), "--name", "hebrew_base") == "hebrew_base-1"
    file.write_bytes(safetensors(b"two"))
    assert ketav("models", "import", "--trusted", str(file), "--name", "hebrew_base") == "hebrew_base-2"
    rashi = ("models", "import", "--trusted", str(file), "--name", "rashi_base", "--script", "rashi")
    assert ketav(*rashi) == "rashi_base-1"
    file.write_bytes(b"\x80\x04 a pickle")
    refused = ketav(*rashi, status=1)
    assert "invalid-file" in refused
    assert "The file base.safetensors cannot be imported." in refused


def test_the_server_is_ready_answers_and_ends_at_sigterm(environment: dict[str, str], tmp_path: Path) -> None:
    """A real process: SERVING by grpc.health, a call, SIGTERM, exit status 0, JSON lines in its log."""
    address, log = f"127.0.0.1:{free_port()}", tmp_path / "registry.log"
    env = os.environ | environment | {"KETAV_BIND": address}
    command = [sys.executable, "-m", "ketav_registry.main"]

    async def resolve_key() -> None:
        """Resolve an API key that does not exist."""
        async with rpc.channel(address, SIGNER, seconds=2) as channel:
            with acting(None, "gateway"), pytest.raises(NotFound), rpc.raise_ketav_errors():
                await accounts_pb2_grpc.AccountServiceStub(channel).ResolveApiKey(
                    accounts_pb2.ResolveApiKeyRequest(key_sha256=bytes(32))
                )

    with running(command, log, lambda: asyncio.run(resolve_key()), env=env) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert '"server_stopped"' in log.read_text()


async def test_a_call_is_unavailable_while_postgresql_is_and_succeeds_afterwards(
    tmp_path: Path,
) -> None:
    """After an immediate stop and a restart on the same port, without a restart of the registry."""
    with postgres_server(tmp_path) as server:
        name = await asyncio.to_thread(server.migrated_database)
        async with registry_server(server, tmp_path, name) as registry:
            user_id = await registry.new_user()
            with acting(user_id):
                first = await create(registry)
                assert (await registry.stores.ready()).serving
                stop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ~ '^ketav_'"
                await asyncio.to_thread(server.execute, stop)
                assert (await create(registry)).model.version == first.model.version
                server.process.send_signal(signal.SIGQUIT)
                await asyncio.to_thread(server.process.wait)
                with pytest.raises(Unavailable) as caught:
                    await create(registry)
                assert caught.value.retry_after
                assert not (await registry.stores.ready()).serving
                with server.restarted(tmp_path):
                    assert (await create(registry)).model.version == first.model.version


async def test_a_call_to_a_suspended_postgresql_times_out(tmp_path: Path) -> None:
    """On an open connection and on a new one."""
    with postgres_server(tmp_path) as server:
        name = await asyncio.to_thread(server.migrated_database)
        stores = Database(server.logins(name, pool_size=2, timeout_s=1))
        await read_projects(stores)
        with suspended(server.process.pid):
            async with asyncio.timeout(8):
                with pytest.raises((TimedOut, Unavailable)):
                    await read_projects(stores)
            # Without a connection nothing was executed: callers may repeat the call at another registry.
            async with asyncio.timeout(8):
                with pytest.raises(Unavailable):
                    await read_projects(stores)
            assert "does not answer in time" in await stores.problem()
        await read_projects(stores)
        await stores.close()


async def test_a_locked_table_times_out_and_a_full_pool_is_unavailable(
    postgres: PostgresServer, database: str
) -> None:
    """Statements and the wait for a connection have timeouts."""
    stores = Database(postgres.logins(database, timeout_s=1))
    owner = await asyncpg.connect(postgres.url(database))
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE project IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(TimedOut):
                await read_projects(stores)
        await read_projects(stores)
        async with stores.user(uuid4()):
            with pytest.raises(Unavailable):
                await read_projects(stores)
    finally:
        await owner.close()
        await stores.close()


async def read_projects(stores: Database) -> None:
    """Read a table in a transaction."""
    async with stores.user(uuid4()) as transaction:
        await transaction.execute(sa.text("SELECT count(*) FROM project"))


async def test_a_mistake_in_a_query_is_not_reported_as_unavailable(
    postgres: PostgresServer, database: str
) -> None:
    """Only errors of connections are mapped to domain errors."""
    stores = Database(postgres.logins(database))
    with pytest.raises(sa.exc.ProgrammingError):
        async with stores.system() as transaction:
            await transaction.execute(sa.text("SELECT no_such_column FROM page"))
    await stores.close()


@pytest.fixture
async def registry_on_s3(
    postgres: PostgresServer, database: str, s3: Any, tmp_path: Path
) -> AsyncIterator[Any]:
    """Run a registry over a bucket."""
    url = s3.url(f"test-{uuid4().hex}")
    async with registry_server(postgres, tmp_path, database, blob_url=url) as running_registry:
        yield running_registry


async def test_the_registry_works_over_s3(registry_on_s3: Any) -> None:
    """A page is stored and downloaded."""
    with acting(await registry_on_s3.new_user()):
        page = (await create(registry_on_s3)).page
        request = pages_pb2.DownloadImageRequest(project_id=page.project_id, page_id=page.page_id)
        parts = [part async for part in registry_on_s3.pages.DownloadImage(request)]
    assert hashlib.sha256(b"".join(part.chunk for part in parts)).digest() == page.image.sha256


async def test_a_page_that_cannot_be_stored_leaves_no_row(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    """The object is stored before the row."""
    async with registry_server(postgres, tmp_path, database) as registry:
        with acting(await registry.new_user()):
            (registry.blobs / ".incoming").rmdir()
            with pytest.raises(KetavError) as caught:
                await create(registry)
            assert caught.value.code == "unavailable"
            listed = await registry.projects.ListProjects(projects_pb2.ListProjectsRequest())
            assert not listed.projects
            assert not (await registry.stores.ready()).serving
