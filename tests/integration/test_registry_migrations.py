"""Migrations against a real PostgreSQL."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from structlog.testing import capture_logs

from ketav_common import rpc
from ketav_common.errors import Internal, Unavailable
from ketav_registry.database import Database, connect, newest_revision
from ketav_registry.database_logins import Logins, database_url, user_database_url
from ketav_registry.migrate import alembic_config, upgrade
from ketav_trainer.registry import RegistryClient
from tests.parts.postgres import PostgresServer
from tests.parts.registry import registry_server


def test_the_migrations_make_exactly_the_tables_of_the_code(postgres: PostgresServer) -> None:
    """`alembic check` finds no difference."""
    command.check(alembic_config(postgres.url(postgres.migrated_database())))


def test_the_newest_migration_has_the_highest_number() -> None:
    """Readiness compares numbers, so that an older process is ready with a newer schema."""
    script = ScriptDirectory.from_config(alembic_config("postgresql://unused"))
    revisions = [migration.revision for migration in script.walk_revisions()]
    assert script.get_current_head() == newest_revision()
    assert revisions == sorted(revisions, reverse=True)
    assert len({len(revision) for revision in revisions}) == 1


def test_the_migrations_go_down_and_up_again(postgres: PostgresServer) -> None:
    """The downgrade leaves nothing that the next upgrade would fail on."""
    url = postgres.url(postgres.migrated_database())
    command.downgrade(alembic_config(url), "base")
    command.upgrade(alembic_config(url), "head")
    command.check(alembic_config(url))


def test_two_concurrent_migrations_run_one_after_the_other(postgres: PostgresServer) -> None:
    """Both succeed; the second has nothing to do."""
    url = postgres.url(postgres.create_database())
    migrate = f"from ketav_registry.migrate import upgrade; print(flush=True); input(); upgrade({url!r})"
    other = subprocess.Popen([sys.executable, "-c", migrate], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        other.stdin.write(b"\n")
        other.stdin.flush()
        upgrade(url)
    assert other.returncode == 0
    command.check(alembic_config(url))


def test_the_passwords_of_the_logins_are_set_from_their_urls(postgres: PostgresServer) -> None:
    """They may contain quotes; PostgreSQL stores a hash of each."""
    owner = postgres.url(postgres.create_database())
    service = "postgresql://ketav_service:it%27s%20a%20secret@host/db"
    upgrade(owner, database_url(service), user_database_url(service, None))
    query = "SELECT rolpassword FROM pg_authid WHERE rolname IN ('ketav_service', 'ketav_user')"
    hashes = {row["rolpassword"] for row in postgres.execute(query)}
    assert len(hashes) == 2
    assert all(password.startswith("SCRAM-SHA-256$") for password in hashes)


@pytest.mark.parametrize(
    ("revision", "ready"), [(None, False), ("0000", False), (newest_revision(), True), ("9999", True)]
)
async def test_a_process_is_ready_with_its_own_schema_or_a_newer_one(
    postgres: PostgresServer, revision: str | None, ready: bool
) -> None:
    """Not with an older schema or none."""
    name = await asyncio.to_thread(postgres.migrated_database)
    change = (
        "DROP TABLE alembic_version" if revision is None else "UPDATE alembic_version SET version_num = $1"
    )
    await asyncio.to_thread(postgres.execute, change, name, *([revision] if revision else []))
    database = Database(postgres.logins(name))
    assert (await database.problem() == "") is ready
    await database.close()


@pytest.mark.parametrize("migrated", [True, False])
async def test_a_call_before_the_migration_is_unavailable_and_says_what_to_do(
    postgres: PostgresServer, tmp_path: Path, migrated: bool
) -> None:
    """At a first start the services call each other before the tables exist: a sentence, and no traceback."""
    name = await asyncio.to_thread(postgres.migrated_database)
    for change in ("DROP TABLE webhook_delivery", "DROP TABLE alembic_version")[: 1 if migrated else 2]:
        await asyncio.to_thread(postgres.execute, change, name)
    with capture_logs() as logs:
        async with (
            registry_server(postgres, tmp_path, name) as registry,
            rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel,
        ):
            with pytest.raises(Internal if migrated else Unavailable) as caught:
                await RegistryClient(channel).claim_deliveries(1)
    crashes = [event for event in logs if event["event"] == "rpc_crashed"]
    assert bool(crashes) is migrated
    if not migrated:
        assert "`ketav migrate`" in caught.value.detail


@pytest.mark.parametrize(("role", "name"), [("absent", "postgres"), ("ketav_service", "absent")])
async def test_a_login_that_postgresql_refuses_is_unavailable(
    postgres: PostgresServer, role: str, name: str
) -> None:
    """Before the first migration neither the role nor the database need exist."""
    engine = connect(postgres.url(name, role), pool_size=1, statement_timeout_s=5)
    database = Database(Logins(engine, engine))
    with pytest.raises(Unavailable, match="PostgreSQL is unavailable"):
        async with database.system():
            pass
    await database.close()


async def test_an_error_of_a_statement_does_not_quote_its_parameters(postgres: PostgresServer) -> None:
    """Errors go to the log, and parameters are texts of users."""
    name = await asyncio.to_thread(postgres.migrated_database)
    database = Database(postgres.logins(name))
    with pytest.raises(sa.exc.ProgrammingError) as caught:
        async with database.system() as transaction:
            await transaction.execute(sa.text("SELECT absent FROM page WHERE :text = ''"), {"text": "canary"})
    await database.close()
    assert "canary" not in str(caught.value)


_PAGE = """
WITH owner AS (INSERT INTO account (id, name) VALUES (gen_random_uuid(), 'x') RETURNING id),
folder AS (
    INSERT INTO project (id, user_id, name, script)
    SELECT gen_random_uuid(), id, 'x', 'square' FROM owner RETURNING id, user_id
)
INSERT INTO page (id, user_id, project_id, sha256, size_bytes, object_key, media_type, width, height, layout,
    state)
SELECT gen_random_uuid(), user_id, id, 'x', 1, $1, 'image/png', 1, 1, 'page', 'stored' FROM folder
"""


@pytest.fixture
def unprivileged(postgres: PostgresServer) -> str:
    """Return an empty database whose owner is no superuser: row-level security applies to them."""
    name = postgres.create_database()
    if not postgres.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ketav_owner'"):
        postgres.execute("CREATE ROLE ketav_owner LOGIN NOSUPERUSER")
    postgres.migrated_database()
    postgres.execute(f'ALTER DATABASE "{name}" OWNER TO ketav_owner')
    return name


def test_a_downgrade_that_would_lose_images_is_refused(postgres: PostgresServer, unprivileged: str) -> None:
    """The key of an image is only in its page's row. The refused downgrade changes nothing."""
    url = postgres.url(unprivileged, "ketav_owner")
    upgrade(url)
    postgres.execute(_PAGE, unprivileged, "images/ab/c")
    with pytest.raises(sa.exc.DBAPIError, match="would be lost"):
        command.downgrade(alembic_config(url), "0004")
    [row] = postgres.execute(
        "SELECT object_key, (SELECT version_num FROM alembic_version) FROM page", unprivileged
    )
    assert tuple(row) == ("images/ab/c", newest_revision())
    postgres.execute("UPDATE page SET object_key = NULL", unprivileged)
    command.downgrade(alembic_config(url), "0004")


async def test_an_owner_that_is_no_superuser_can_migrate_and_is_subject_to_row_level_security(
    postgres: PostgresServer, unprivileged: str
) -> None:
    """The role `ketav_service` exists already."""
    name = unprivileged
    url = postgres.url(name, "ketav_owner")
    await asyncio.to_thread(upgrade, url)
    postgres.execute("INSERT INTO account (id, name) VALUES (gen_random_uuid(), 'x')", name)
    owner = await asyncpg.connect(url)
    try:
        assert await owner.fetchval("SELECT count(*) FROM account") == 0
    finally:
        await owner.close()
    assert postgres.execute("SELECT 1 FROM account", name)
