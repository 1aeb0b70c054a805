"""The audit log: triggers write it, its user reads it, and it stays 90 days longer than the account."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from ketav.registry.v1 import accounts_pb2, models_pb2, pages_pb2, projects_pb2, webhooks_pb2
from ketav_registry.usecases import accounts, accounts_audit
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, claim, create, publish, queued_run, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def audit(registry: Registry, user_id: UUID) -> list[tuple[str, str, str]]:
    """Return the actor, action and subject of all entries of a user, oldest first, read in parts of three."""
    entries: list[tuple[str, str, str]] = []
    cursor = ""
    while True:
        with acting(user_id):
            part = await registry.accounts.ListAuditEntries(
                accounts_pb2.ListAuditEntriesRequest(cursor=cursor, limit=3)
            )
        entries += [(entry.actor, entry.action, entry.subject) for entry in part.entries]
        if not (cursor := part.next_cursor):
            return entries[::-1]


async def test_what_the_operator_does_to_an_account_is_in_its_log(registry: Registry) -> None:
    """Keys are named by their prefix; the name of the user is nowhere."""
    user_id, key = await accounts.add_user("Rivka", stores=registry.stores)
    other = await accounts.add_key("Rivka", stores=registry.stores)
    await accounts.revoke_key(other[4:12], stores=registry.stores)
    await accounts.set_disabled("Rivka", disabled=True, stores=registry.stores)
    await accounts.set_disabled("Rivka", disabled=True, stores=registry.stores)
    await accounts.set_disabled("Rivka", disabled=False, stores=registry.stores)
    assert await audit(registry, user_id) == [
        ("operator", "account.created", ""),
        ("operator", "key.created", key[4:12]),
        ("operator", "key.created", other[4:12]),
        ("operator", "key.revoked", other[4:12]),
        ("operator", "account.disabled", ""),
        ("operator", "account.enabled", ""),
    ]
    latest = await accounts_audit.list_entries_of("Rivka", 2, stores=registry.stores)
    assert [entry.action for entry in latest] == ["account.enabled", "account.disabled"]


async def test_deletions_exports_models_and_webhooks_are_in_the_log_with_who_did_it(
    registry: Registry,
) -> None:
    """A worker that publishes a better model, and a user who returns to the base, differ."""
    user_id, run_id = await queued_run(registry)
    await publish(registry, run_id, (await claim(registry, run_id)).fence)
    with acting(user_id):
        models = await registry.models.ListModels(models_pb2.ListModelsRequest())
        base = models_pb2.ActivateModelRequest(version="hebrew_base-1")
        await registry.models.ActivateModel(base)
        await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/"))
        await registry.webhooks.DeleteWebhook(webhooks_pb2.DeleteWebhookRequest())
        page = (await create(registry)).page
        export = accounts_pb2.RecordExportRequest(project_id=page.project_id, format="alto")
        await registry.accounts.RecordExport(export)
        await registry.pages.DeletePage(
            pages_pb2.DeletePageRequest(project_id=page.project_id, page_id=page.page_id)
        )
        await registry.projects.DeleteProject(projects_pb2.DeleteProjectRequest(project_id=page.project_id))
    log = await audit(registry, user_id)
    assert log[2:] == [
        ("trainer", "model.activated", models.versions[0].model.version),
        ("user", "model.activated", "hebrew_base-1"),
        ("user", "webhook.set", ""),
        ("user", "webhook.deleted", ""),
        ("user", "project.exported", f"{page.project_id} alto"),
        ("user", "page.deleted", ""),
        ("user", "project.deleted", ""),
    ]


async def test_a_user_sees_no_entry_of_another_and_nobody_changes_one(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The services' role may add entries; it may not update or delete them."""
    first, second = await registry.new_user(), await registry.new_user()
    assert len(await audit(registry, first)) == len(await audit(registry, second)) == 2
    connection = await asyncpg.connect(postgres.url(database, "ketav_service"))
    try:
        for statement in ("UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_log_of_a_deleted_account_stays_ninety_days(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """That of an existing account stays; the sweep removes only old entries of deleted ones."""
    existing, deleted = await registry.new_user(), await registry.new_user()
    with acting(deleted):
        await registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())

    async def remaining() -> dict[UUID, int]:
        """Sweep, and count the entries of both users."""
        await accounts_audit.remove_old_entries(registry.stores)
        query = "SELECT user_id, count(*) AS entries FROM audit_entry WHERE user_id IN ($1, $2) GROUP BY 1"
        rows = await asyncio.to_thread(postgres.execute, query, database, existing, deleted)
        return {row["user_id"]: row["entries"] for row in rows}

    assert await remaining() == {existing: 2, deleted: 3}
    age = "UPDATE audit_entry SET created_at = created_at - $1::interval RETURNING 1"
    await asyncio.to_thread(postgres.execute, age.replace("$1", "'89 days'"), database)
    assert await remaining() == {existing: 2, deleted: 3}
    await asyncio.to_thread(postgres.execute, age.replace("$1", "'2 days'"), database)
    assert await remaining() == {existing: 2}
