"""The database's own walls: with the application's filters off, row-level security alone must hold."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from ketav.registry.v1 import pages_pb2, training_pb2, webhooks_pb2
from ketav_registry.tables import metadata
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    correct,
    create,
    publish,
    queued_run,
    registry_server,
)

# Whose rows a table has: its column with the user.
OWNERS = {name: "id" if name == "account" else "user_id" for name in metadata.tables}
TABLES = sorted(metadata.tables)
# What may be deleted at all; the rest goes with a page, a project or an account, or stays.
DELETABLE = {"account", "object_removal", "page", "project", "webhook", "webhook_delivery"}


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


@pytest.fixture(scope="module")
def owner(postgres: PostgresServer, database: str, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    """Make a user with a row in every table."""

    async def make() -> UUID:
        """Run a registry for as long as it takes."""
        async with registry_server(postgres, tmp_path_factory.mktemp("owner"), database) as registry:
            user_id, run_id = await queued_run(registry)
            await publish(registry, run_id, (await claim(registry, run_id)).fence)
            wanted = training_pb2.SetTrainingPolicyRequest(policy=training_pb2.TrainingPolicy(automatic=True))
            with acting(user_id):
                await registry.training.SetTrainingPolicy(wanted)
            with acting(user_id):
                hook = webhooks_pb2.SetWebhookRequest(url="https://example.org/")
                await registry.webhooks.SetWebhook(hook)
                await registry.webhooks.TestWebhook(webhooks_pb2.TestWebhookRequest())
                page = (await create(registry)).page
                await registry.pages.DeletePage(
                    pages_pb2.DeletePageRequest(project_id=page.project_id, page_id=page.page_id)
                )
            return user_id

    return asyncio.run(make())


@pytest.fixture
async def service(postgres: PostgresServer, database: str, owner: UUID) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the service's role, after the owner's rows were made."""
    connection = await asyncpg.connect(postgres.url(database, "ketav_service"))
    try:
        yield connection
    finally:
        await connection.close()


async def as_user(connection: asyncpg.Connection, user_id: UUID | None, query: str, *arguments: Any) -> Any:
    """Run a query in a transaction of a user and roll it back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        if user_id is not None:
            await connection.execute("SELECT set_config('app.user_id', $1, true)", str(user_id))
        return await connection.fetchval(query, *arguments)
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("table", TABLES)
async def test_a_stranger_sees_no_row_of_a_table_and_its_owner_does(
    service: asyncpg.Connection, owner: UUID, table: str
) -> None:
    """Plain SQL as the service's role: the owner's rows are there for the owner, and for nobody else."""
    rows = f"SELECT count(*) FROM {table} WHERE {OWNERS[table]} = $1"  # noqa: S608 - names of our tables
    assert await as_user(service, owner, rows, owner) > 0
    assert await as_user(service, uuid4(), rows, owner) == 0
    assert await as_user(service, None, rows, owner) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_stranger_changes_no_row_of_a_table(
    service: asyncpg.Connection, owner: UUID, table: str
) -> None:
    """An update or a deletion without a filter touches nothing, or is not granted."""
    column = OWNERS[table]
    change = (
        f"WITH changed AS (UPDATE {table} SET {column} = {column} RETURNING 1) SELECT count(*) FROM changed"  # noqa: S608 - names of our tables
    )
    granted = await service.fetchval("SELECT has_table_privilege($1, 'UPDATE')", table)
    if granted and table != "model_version":
        assert await as_user(service, uuid4(), change) == 0
    else:
        # A stranger sees the base models, and may not write them.
        refusal = "row-level security" if granted else "permission denied"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=refusal):
            await as_user(service, uuid4(), change)
    delete = f"WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone"  # noqa: S608 - as above
    if table in DELETABLE:
        assert await as_user(service, uuid4(), delete) == 0
    else:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_user(service, owner, delete)


async def test_a_row_in_the_name_of_another_user_is_refused(service: asyncpg.Connection, owner: UUID) -> None:
    """The policy's check holds for writing, too; a base model cannot be made by a user."""
    project = "INSERT INTO project (id, user_id, name, script) VALUES ($1, $2, 'x', 'square')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, uuid4(), project, uuid4(), owner)
    base = (
        "INSERT INTO model_version (version, name, sha256, size_bytes, state) "
        "VALUES ('evil-1', 'evil', '', 1, 'available')"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, owner, base)
    hide = (
        "WITH changed AS (UPDATE model_version SET state = 'retired' "
        "WHERE user_id IS NULL RETURNING 1) SELECT count(*) FROM changed"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, owner, hide)


async def test_the_scope_of_a_transaction_ends_with_it(service: asyncpg.Connection, owner: UUID) -> None:
    """A pooled connection that served a user shows nothing afterwards."""
    assert await as_user(service, owner, "SELECT count(*) FROM page") > 0
    assert await service.fetchval("SELECT count(*) FROM page") == 0
    assert await service.fetchval("SELECT current_setting('app.user_id', true)") in {"", None}


async def test_every_table_forces_row_level_security_and_the_service_owns_nothing(
    postgres: PostgresServer, database: str
) -> None:
    """Asked of the catalogue, so that a new table without a policy fails here."""
    query = """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS walled,
               EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS policy,
               pg_get_userbyid(c.relowner) AS owner
        FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    """
    found = {row["relname"]: row for row in await asyncio.to_thread(postgres.execute, query, database)}
    assert found.keys() == {*TABLES, "alembic_version"}
    assert all(found[table]["walled"] and found[table]["policy"] for table in TABLES)
    assert "ketav_service" not in {row["owner"] for row in found.values()}
    role = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = $1"
    [rights] = await asyncio.to_thread(postgres.execute, role, database, "ketav_service")
    assert not any(rights.values())


async def test_a_correction_cannot_name_a_line_or_a_project_of_another_page(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The composite foreign keys hold even for the owner of the schema."""
    with acting(await registry.new_user()):
        await correct(registry, 2, pages=2)
    mix = """
        INSERT INTO correction (id, user_id, project_id, page_id, feedback_id, line_id, geometry_sha256, text)
        SELECT gen_random_uuid(), a.user_id, a.project_id, a.page_id, a.feedback_id, b.line_id,
            b.geometry_sha256, 'x'
        FROM correction a JOIN correction b ON a.page_id <> b.page_id AND a.user_id = b.user_id LIMIT 1
    """
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await asyncio.to_thread(postgres.execute, mix, database)


def test_every_foreign_key_between_a_users_tables_carries_the_user() -> None:
    """Asked of the tables' definitions: no row can refer to another user's row."""
    exempt = {("correction", "correction"), ("model_version", "model_version")}
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            target = constraint.referred_table
            if target.name in {"account", "model_version"} or (table.name, target.name) in exempt:
                continue
            assert "user_id" in constraint.column_keys, (table.name, target.name)


def test_every_table_of_a_user_says_whose_its_rows_are() -> None:
    """A new table without `user_id` fails here."""
    for name, table in metadata.tables.items():
        assert isinstance(table.c[OWNERS[name]].type, sa.Uuid)


def test_whatever_hangs_on_a_page_goes_with_it() -> None:
    """Asked of the tables' definitions: a table about a page, a line or a correction cannot outlive it."""
    about = {"account", "project", "page", "transcription", "line", "feedback", "correction"}
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table.name in about:
                assert constraint.ondelete == "CASCADE", (table.name, constraint.column_keys)
