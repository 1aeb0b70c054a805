"""The database's own walls: with the application's filters off, row-level security alone must hold."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from ketav.registry.v1 import accounts_pb2, jobs_pb2, pages_pb2, training_pb2, webhooks_pb2
from ketav_registry.tables import metadata
from ketav_registry.usecases import accounts
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    correct,
    create,
    publish,
    queue,
    queued_run,
    registry_server,
    set_member,
)

# The column of each table that has the owner of a row.
OWNERS = {name: "id" if name == "account" else "user_id" for name in metadata.tables}
TABLES = sorted(metadata.tables)
# Tables whose rows the service's role may delete. Other rows are deleted with a page, project or account.
DELETABLE = {
    "account", "done_request", "ended_session", "job", "object_removal", "page", "project", "project_member",
    "webhook", "webhook_delivery",
}  # fmt: skip
# Tables of which a member sees rows of the shared project, and those into which an editor inserts.
SHARED = {
    "account", "active_hand_model", "correction", "feedback", "hand", "job", "job_export", "job_page", "line",
    "model_version", "page", "project", "project_member", "transcription",
}  # fmt: skip
LOGINS = {"ketav_service", "ketav_user"}
EDITED = {"correction", "feedback", "job", "job_page", "line", "object_removal", "page", "transcription"}


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
    """Create a user with a row in every table."""

    async def make() -> UUID:
        """Run a registry and call its services."""
        async with registry_server(postgres, tmp_path_factory.mktemp("owner"), database) as registry:
            user_id, run_id = await queued_run(registry)
            await publish(registry, run_id, (await claim(registry, run_id)).fence)
            with acting(user_id):
                await correct(registry, 8, hand="Grandmother")
            run_id = (await queue(registry, user_id)).run_id
            await publish(registry, run_id, (await claim(registry, run_id)).fence)
            policy_request = training_pb2.SetTrainingPolicyRequest(
                policy=training_pb2.TrainingPolicy(automatic=True)
            )
            with acting(user_id):
                await registry.training.SetTrainingPolicy(policy_request)
            with acting(user_id):
                webhook_request = webhooks_pb2.SetWebhookRequest(url="https://example.org/")
                await registry.webhooks.SetWebhook(webhook_request)
                session = accounts_pb2.EndSessionRequest(session_id=bytes(16))
                session.expire_time.FromSeconds(2**31)
                await registry.accounts.EndSession(session)
                await registry.webhooks.TestWebhook(webhooks_pb2.TestWebhookRequest())
                page = (await create(registry)).page
                header = jobs_pb2.CreateJobHeader(page_ids=[page.page_id], project_id=page.project_id)
                job = (await registry.jobs.CreateJob(iter([jobs_pb2.CreateJobRequest(header=header)]))).job
                cancel_request = jobs_pb2.CancelJobRequest(job_id=job.job_id, request_id="cancel")
                await registry.jobs.CancelJob(cancel_request)
                export = jobs_pb2.CreateExportRequest(project_id=page.project_id, format="txt")
                await registry.jobs.CreateExport(export)
                await registry.pages.DeletePage(
                    pages_pb2.DeletePageRequest(project_id=page.project_id, page_id=page.page_id)
                )
                await share(registry, page.project_id)
            return user_id

    return asyncio.run(make())


async def share(registry: Registry, project_id: str) -> None:
    """Share a project of the current user with two users of these names."""
    for role in ("viewer", "editor"):
        await accounts.add_user(role, stores=registry.stores)
        await set_member(registry, project_id, role, role)


@dataclass(frozen=True)
class Shared:
    """A project of `owner` that a viewer and an editor are members of."""

    owner: UUID
    viewer: UUID
    editor: UUID
    project_id: UUID


@pytest.fixture
async def shared(postgres: PostgresServer, database: str, owner: UUID) -> Shared:
    """Share the owner's project of another hand, which has corrections, transcriptions, a model and a job."""
    query = """
        SELECT project.id FROM project JOIN hand ON hand.id = project.hand_id
        WHERE project.user_id = $1 AND hand.name = 'Grandmother' ORDER BY project.created_at LIMIT 1
    """
    [row] = await asyncio.to_thread(postgres.execute, query, database, owner)
    users = {}
    for role in ("viewer", "editor"):
        [account] = await asyncio.to_thread(
            postgres.execute, "SELECT id FROM account WHERE name = $1", database, role
        )
        users[role] = account["id"]
        await asyncio.to_thread(
            postgres.execute,
            "INSERT INTO project_member (project_id, member_id, user_id, role) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (project_id, member_id) DO UPDATE SET role = excluded.role",
            database, row["id"], users[role], owner, role,
        )  # fmt: skip
    job = """
        WITH inserted AS (
            INSERT INTO job (id, user_id, project_id, state, page_count, layout, expires_at)
            VALUES (gen_random_uuid(), $1, $2, 'failed', 1, 'page', now()) RETURNING id
        )
        INSERT INTO job_page (job_id, position, user_id, state) SELECT id, 1, $1, 'failed' FROM inserted
    """
    await asyncio.to_thread(postgres.execute, job, database, owner, row["id"])
    export = """
        WITH inserted AS (
            INSERT INTO job (id, user_id, project_id, kind, state, page_count, layout, expires_at)
            VALUES (gen_random_uuid(), $1, $2, 'export', 'failed', 1, 'page', now()) RETURNING id
        )
        INSERT INTO job_export (job_id, user_id, format, page_ids, images, address, base)
        SELECT id, $1, 'txt', '{}', false, '', '' FROM inserted
    """
    await asyncio.to_thread(postgres.execute, export, database, owner, row["id"])
    return Shared(owner, users["viewer"], users["editor"], row["id"])


async def as_member(
    connection: asyncpg.Connection, shared: Shared, member_id: UUID, query: str, *arguments: Any
) -> Any:
    """Run a query in a transaction of a member and roll it back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        settings = {"user_id": shared.owner, "member_id": member_id, "project_id": shared.project_id}
        for name, value in settings.items():
            await connection.execute("SELECT set_config($1, $2, true)", f"app.{name}", str(value))
        return await connection.fetchval(query, *arguments)
    finally:
        await transaction.rollback()


@pytest.fixture
async def service(postgres: PostgresServer, database: str, owner: UUID) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the login for the work of users, after the owner's rows were inserted."""
    connection = await asyncpg.connect(postgres.url(database, "ketav_user"))
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
async def test_a_row_is_visible_to_its_owner_only(
    service: asyncpg.Connection, owner: UUID, table: str
) -> None:
    """In SQL of the service's role, for every table."""
    rows = f"SELECT count(*) FROM {table} WHERE {OWNERS[table]} = $1"  # noqa: S608 - names of our tables
    assert await as_user(service, owner, rows, owner) > 0
    assert await as_user(service, uuid4(), rows, owner) == 0
    assert await as_user(service, None, rows, owner) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_another_user_cannot_change_a_row(service: asyncpg.Connection, owner: UUID, table: str) -> None:
    """An update or a deletion without a filter changes no row, or is not permitted."""
    column = OWNERS[table]
    update = (
        f"WITH changed AS (UPDATE {table} SET {column} = {column} RETURNING 1) SELECT count(*) FROM changed"  # noqa: S608 - names of our tables
    )
    granted = await service.fetchval("SELECT has_table_privilege($1, 'UPDATE')", table)
    if granted and table != "model_version":
        assert await as_user(service, uuid4(), update) == 0
    else:
        # Every user sees the base models and may not change them.
        refusal = "row-level security" if granted else "permission denied"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=refusal):
            await as_user(service, uuid4(), update)
    delete = f"WITH deleted AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM deleted"  # noqa: S608 - as above
    if table in DELETABLE:
        assert await as_user(service, uuid4(), delete) == 0
    else:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_user(service, owner, delete)


async def test_a_user_cannot_insert_rows_of_another_user_or_base_models(
    service: asyncpg.Connection, owner: UUID
) -> None:
    """The policies check written rows, too."""
    insert_project = "INSERT INTO project (id, user_id, name, script) VALUES ($1, $2, 'x', 'square')"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, uuid4(), insert_project, uuid4(), owner)
    base = (
        "INSERT INTO model_version (version, name, sha256, size_bytes, state) "
        "VALUES ('evil-1', 'evil', '', 1, 'available')"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, owner, base)
    retire_bases = (
        "WITH changed AS (UPDATE model_version SET state = 'retired' "
        "WHERE user_id IS NULL RETURNING 1) SELECT count(*) FROM changed"
    )
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_user(service, owner, retire_bases)


@pytest.mark.parametrize("table", TABLES)
async def test_a_member_sees_rows_of_the_shared_project_only(
    service: asyncpg.Connection, shared: Shared, table: str
) -> None:
    """Without any filter, of every table; the settings of a transaction grant a stranger nothing."""
    rows = f"SELECT count(*) FROM {table}"  # noqa: S608 - names of our tables
    seen = await as_member(service, shared, shared.viewer, rows)
    assert (seen > 0) is (table in SHARED)
    assert seen == await as_member(service, shared, shared.editor, rows) or table == "object_removal"
    bases = 1 if table == "model_version" else 0
    assert await as_member(service, shared, uuid4(), rows) == bases
    foreign = Shared(uuid4(), shared.viewer, shared.editor, shared.project_id)
    assert await as_member(service, foreign, shared.editor, rows) == bases
    if "project_id" in metadata.tables[table].c:
        others = f"{rows} WHERE project_id <> $1"
        assert await as_member(service, shared, shared.editor, others, shared.project_id) == 0
        assert await as_user(service, shared.owner, others, shared.project_id) > 0


@pytest.mark.parametrize("table", TABLES)
async def test_a_viewer_changes_nothing_and_an_editor_no_row_of_another_project(
    service: asyncpg.Connection, shared: Shared, table: str
) -> None:
    """An update of every row that is visible, and a deletion of every row."""
    column = OWNERS[table]
    update = (
        f"WITH changed AS (UPDATE {table} SET {column} = {column} RETURNING 1) SELECT count(*) FROM changed"  # noqa: S608 - names of our tables
    )
    if await service.fetchval("SELECT has_table_privilege($1, 'UPDATE')", table):
        assert await as_member(service, shared, shared.viewer, update) == 0
        changed = await as_member(service, shared, shared.editor, update)
        assert (changed > 0) is (table in {"job", "job_export", "job_page", "object_removal", "page"})
    if table in DELETABLE:
        delete = f"WITH deleted AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM deleted"  # noqa: S608 - as above
        assert await as_member(service, shared, shared.editor, delete) == 0


@pytest.mark.parametrize("table", TABLES)
async def test_an_editor_inserts_into_the_tables_of_a_project_only(
    service: asyncpg.Connection, shared: Shared, table: str
) -> None:
    """Row-level security refuses a copied row of any other table, and each row of a viewer.

    The copy of an editor fails at a unique constraint or another rule behind row-level security.
    """
    names = [
        column.name for column in metadata.tables[table].c if (table, column.name) != ("correction", "number")
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    in_their_name = table in {"feedback", "job"}
    values = columns.replace('"member_id"', f"'{shared.editor}'") if in_their_name else columns
    copy = f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1"  # noqa: S608 - names of our tables
    if table in SHARED:  # the member sees no row of the other tables to copy
        refused = asyncpg.InsufficientPrivilegeError
        with pytest.raises(refused, match=r"row-level security|permission denied"):
            await as_member(service, shared, shared.viewer, copy)
        expected = asyncpg.UniqueViolationError if table in EDITED else refused
        with pytest.raises(expected):
            await as_member(service, shared, shared.editor, copy)


async def test_a_member_cannot_write_in_the_name_of_another(
    service: asyncpg.Connection, shared: Shared
) -> None:
    """Neither in that of the owner nor of the other member, and not into another project."""
    insert = """
        INSERT INTO job (id, user_id, member_id, project_id, state, page_count, layout, expires_at)
        VALUES (gen_random_uuid(), $1, $2, $3, 'queued', 1, 'page', now()) RETURNING 1
    """
    arguments = (shared.owner, shared.editor, shared.project_id)
    assert await as_member(service, shared, shared.editor, insert, *arguments) == 1
    other = await as_user(service, shared.owner, "SELECT id FROM project WHERE id <> $1", shared.project_id)
    for forged in (
        (shared.owner, shared.viewer, shared.project_id),
        (shared.owner, None, shared.project_id),
        (shared.owner, shared.editor, other),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await as_member(service, shared, shared.editor, insert, *forged)


async def test_a_viewer_inserts_and_changes_their_own_exports_alone(
    service: asyncpg.Connection, shared: Shared
) -> None:
    """No job that reads, none in the name of another, no export of an owner's job."""
    insert = """
        WITH inserted AS (
            INSERT INTO job (id, user_id, member_id, project_id, kind, state, page_count, layout, expires_at)
            VALUES ($4, $1, $2, $3, $5, 'queued', 1, 'page', now()) RETURNING id
        ) SELECT count(*) FROM inserted
    """
    own = (shared.owner, shared.viewer, shared.project_id, uuid4())
    assert await as_member(service, shared, shared.viewer, insert, *own, "export") == 1
    for forged in (
        (*own, "reading"),
        (shared.owner, shared.editor, shared.project_id, uuid4(), "export"),
        (shared.owner, None, shared.project_id, uuid4(), "export"),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await as_member(service, shared, shared.viewer, insert, *forged)


async def test_a_user_finds_shared_projects_with_their_hands_jobs_and_names_but_not_their_pages(
    service: asyncpg.Connection, shared: Shared
) -> None:
    """A list needs them before a project is entered; nothing of them can be changed so."""
    counts = {}
    for table in TABLES:
        rows = f"SELECT count(*) FROM {table} WHERE {OWNERS[table]} = $1"  # noqa: S608 - names of our tables
        counts[table] = await as_user(service, shared.viewer, rows, shared.owner)
    assert {table for table, count in counts.items() if count} == {
        "account", "hand", "job", "job_export", "project", "project_member"
    }  # fmt: skip
    for table in ("job", "job_export", "project", "project_member"):
        column = {"project": "name", "project_member": "role"}.get(table, "user_id")
        update = (
            f"WITH changed AS (UPDATE {table} SET {column} = {column} RETURNING 1) "  # noqa: S608 - as above
            "SELECT count(*) FROM changed"
        )
        assert await as_user(service, shared.editor, update) == 0


async def test_the_scope_of_a_transaction_ends_with_it(service: asyncpg.Connection, owner: UUID) -> None:
    """A pooled connection that was used for a user sees no rows afterwards."""
    assert await as_user(service, owner, "SELECT count(*) FROM page") > 0
    assert await service.fetchval("SELECT count(*) FROM page") == 0
    assert await service.fetchval("SELECT current_setting('app.user_id', true)") in {"", None}


async def test_every_table_forces_row_level_security_and_the_services_role_owns_none(
    postgres: PostgresServer, database: str
) -> None:
    """From PostgreSQL's catalog, so that a new table without a policy fails this test."""
    query = """
        SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS secured,
               EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS policy,
               pg_get_userbyid(c.relowner) AS owner
        FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    """
    tables = {row["relname"]: row for row in await asyncio.to_thread(postgres.execute, query, database)}
    assert tables.keys() == {*TABLES, "alembic_version"}
    assert all(tables[table]["secured"] and tables[table]["policy"] for table in TABLES)
    assert not LOGINS & {row["owner"] for row in tables.values()}
    query = """
        SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication,
            EXISTS (SELECT FROM pg_auth_members WHERE member = role.oid) AS member
        FROM pg_roles AS role WHERE rolname = ANY ($1)
    """
    roles = await asyncio.to_thread(postgres.execute, query, database, sorted(LOGINS))
    assert len(roles) == len(LOGINS)
    assert not any(right for rights in roles for right in rights.values())


async def test_both_logins_have_the_same_privileges_and_one_has_the_switch(
    postgres: PostgresServer, database: str
) -> None:
    """From PostgreSQL's catalog: a new table needs `system_rows`, and `own_rows` without the switch."""
    query = """
        SELECT grantee, table_name, column_name, privilege_type FROM information_schema.column_privileges
        UNION SELECT grantee, table_name, '', privilege_type FROM information_schema.table_privileges
    """
    granted: dict[str, set[Any]] = {login: set() for login in LOGINS}
    for row in await asyncio.to_thread(postgres.execute, query, database):
        granted.get(row["grantee"], set()).add((row["table_name"], row["column_name"], row["privilege_type"]))
    assert granted["ketav_user"] == granted["ketav_service"] != set()
    query = """
        SELECT tablename, policyname, roles::text[], concat(qual, with_check) LIKE '%app.system%' AS switch
        FROM pg_policies WHERE permissive = 'PERMISSIVE'
    """
    switched = set()
    for row in await asyncio.to_thread(postgres.execute, query, database):
        assert row["switch"] is (row["policyname"] == "system_rows"), row
        if row["switch"]:
            assert not {"ketav_user", "public"} & set(row["roles"]), row
            switched.add(row["tablename"])
    assert switched == set(TABLES)


SWITCHES = (
    "SET app.system = 'on'",
    "SELECT set_config('app.system', 'on', false)",
    "SET LOCAL app.system = 'on'",
    "SET app.system = 'on'; SET app.member_id = ''; SET app.project_id = ''; SET app.user_id = ''",
    "SET row_security = off",
    "RESET ALL",
)
"""Statements that a query with a mistake in it could run before it reads."""


@pytest.mark.parametrize("switch", SWITCHES)
async def test_the_login_for_users_has_no_switch(
    service: asyncpg.Connection, owner: UUID, switch: str
) -> None:
    """No row of another user is visible in any table; without row security the query itself is refused."""
    for table in TABLES:
        rows = f"SELECT count(*) FROM {table} WHERE {OWNERS[table]} = $1"  # noqa: S608 - names of our tables
        async with service.transaction():
            await service.execute("SELECT set_config('app.user_id', $1, true)", str(uuid4()))
            await service.execute(switch)
            if "row_security" in switch:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with service.transaction():
                        await service.fetchval(rows, owner)
            else:
                assert await service.fetchval(rows, owner) == 0
        await service.execute("RESET ALL")


ESCAPES = (
    "SET ROLE ketav_service",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION ketav_service",
    "ALTER ROLE ketav_user BYPASSRLS",
    "GRANT ketav_service TO ketav_user",
    "ALTER TABLE page DISABLE ROW LEVEL SECURITY",
    "DROP POLICY own_rows ON page",
    "CREATE POLICY all_rows ON page USING (true)",
    "SELECT remove_old_audit()",
    """
    CREATE FUNCTION pg_temp.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER t AFTER UPDATE ON job FOR EACH ROW EXECUTE FUNCTION pg_temp.f()
    """,
    """
    CREATE TEMPORARY TABLE mine (id uuid);
    CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION queue_job_delivery()
    """,
)
"""Statements that would give a connection more rights."""


@pytest.mark.parametrize("statement", ESCAPES)
async def test_the_login_for_users_cannot_become_another(service: asyncpg.Connection, statement: str) -> None:
    """PostgreSQL refuses each of these, so there is no way around the policies."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with service.transaction():
            await service.execute(statement)


async def test_statistics_of_the_tables_tell_the_login_for_users_nothing(
    service: asyncpg.Connection, postgres: PostgresServer, database: str
) -> None:
    """The most common values of a column are values of rows."""
    await asyncio.to_thread(postgres.execute, "ANALYZE", database)
    count = "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    [visible] = await asyncio.to_thread(postgres.execute, count, database)
    assert visible["count"] > 0
    assert await service.fetchval(count) == 0


async def test_work_for_users_runs_as_the_login_for_users(registry: Registry, owner: UUID) -> None:
    """The registry itself: the switch in such a transaction shows nothing, and system work sees all."""
    query = sa.text("SELECT current_user, (SELECT count(*) FROM page WHERE user_id = :owner)")
    switch = sa.text("SET LOCAL app.system = 'on'")
    async with registry.stores.database.user(uuid4()) as transaction:
        await transaction.execute(switch)
        assert tuple((await transaction.execute(query, {"owner": owner})).one()) == ("ketav_user", 0)
    async with registry.stores.database.project(uuid4(), None) as scope:
        await scope.transaction.execute(switch)
        assert tuple((await scope.transaction.execute(query, {"owner": owner})).one()) == ("ketav_user", 0)
    async with registry.stores.database.system() as transaction:
        login, pages = (await transaction.execute(query, {"owner": owner})).one()
    assert login == "ketav_service"
    assert pages > 0


async def test_a_temporary_table_does_not_deceive_the_removal_of_old_entries(
    postgres: PostgresServer, database: str, owner: UUID
) -> None:
    """It deletes entries of deleted accounts; a temporary `account` without rows makes no account deleted."""
    old = "UPDATE audit_entry SET created_at = now() - interval '91 days' WHERE user_id = $1 RETURNING 1"
    aged = await asyncio.to_thread(postgres.execute, old, database, owner)
    assert aged
    connection = await asyncpg.connect(postgres.url(database, "ketav_service"))
    try:
        await connection.execute(
            "CREATE TEMPORARY TABLE account (id uuid); GRANT SELECT ON account TO PUBLIC"
        )
        await connection.execute("SET app.system = 'on'")
        await connection.fetchval("SELECT remove_old_audit()")
    finally:
        await connection.close()
    count = "SELECT count(*) FROM audit_entry WHERE user_id = $1"
    [left] = await asyncio.to_thread(postgres.execute, count, database, owner)
    assert left["count"] == len(aged)


async def test_a_correction_cannot_refer_to_a_line_of_another_page(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The composite foreign keys apply to the owner of the schema, too."""
    with acting(await registry.new_user()):
        await correct(registry, 2, pages=2)
    mixed_insert = """
        INSERT INTO correction (id, user_id, project_id, page_id, feedback_id, line_id, geometry_sha256, text)
        SELECT gen_random_uuid(), a.user_id, a.project_id, a.page_id, a.feedback_id, b.line_id,
            b.geometry_sha256, 'x'
        FROM correction a JOIN correction b ON a.page_id <> b.page_id AND a.user_id = b.user_id LIMIT 1
    """
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await asyncio.to_thread(postgres.execute, mixed_insert, database)


def test_every_foreign_key_between_tables_of_users_contains_the_user() -> None:
    """No row can refer to a row of another user."""
    exempt = {("correction", "correction"), ("model_version", "model_version")}
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            target = constraint.referred_table
            if target.name in {"account", "model_version"} or (table.name, target.name) in exempt:
                continue
            assert "user_id" in constraint.column_keys, (table.name, target.name)


def test_every_table_has_a_column_with_the_owner() -> None:
    """A new table without `user_id` fails this test."""
    for name, table in metadata.tables.items():
        assert isinstance(table.c[OWNERS[name]].type, sa.Uuid)


def test_every_row_about_a_page_is_deleted_with_the_page() -> None:
    """Foreign keys to a page, a line or a correction cascade."""
    page_tables = {"account", "project", "page", "transcription", "line", "feedback", "correction"}
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            if constraint.referred_table.name in page_tables:
                assert constraint.ondelete == "CASCADE", (table.name, constraint.column_keys)
