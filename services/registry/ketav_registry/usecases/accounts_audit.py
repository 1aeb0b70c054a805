"""The audit log of an account: its user reads it, and it outlives the account by 90 days without a name."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ketav_common.logging import get_logger
from ketav_registry.domain.accounts import AuditEntry
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository import accounts_audit
from ketav_registry.stores import Stores
from ketav_registry.usecases.accounts import require_user
from ketav_registry.usecases.projects import require_project

log = get_logger()

_EXPORTED: Final = "project.exported"


@dataclass(frozen=True, slots=True)
class AuditList:
    """A part of the log, newest first, and the position at which it continues, if it does."""

    entries: list[AuditEntry]
    next_position: ListPosition[UUID] | None


async def list_entries(
    user_id: UUID, after: ListPosition[UUID] | None, limit: int, *, stores: Stores
) -> AuditList:
    """Return at most `limit` entries of a user, newest first."""
    async with stores.database.user(user_id) as transaction:
        entries = await accounts_audit.list_entries(transaction, user_id, after, limit + 1)
    if len(entries) <= limit:
        return AuditList(entries, None)
    last = entries[limit - 1]
    return AuditList(entries[:limit], ListPosition(last.create_time, last.entry_id))


async def list_entries_of(name_or_id: str, limit: int, *, stores: Stores) -> list[AuditEntry]:
    """Return the latest entries of a user for the operator, newest first. Errors: `require_user`."""
    async with stores.database.system() as transaction:
        user = await require_user(transaction, name_or_id)
        return await accounts_audit.list_entries(transaction, user.user_id, None, limit)


async def record_export(user_id: UUID, project_id: UUID, export_format: str, *, stores: Stores) -> None:
    """Write that the user exports a project that they see, or pages of it. NotFound: no such project.

    An export by a member is in two logs: the owner's, with the member, and the member's own.
    """
    subject = f"{project_id} {export_format}"
    async with stores.database.project(user_id, project_id) as scope:
        await require_project(scope.transaction, scope.owner_id, project_id)
        if scope.member_id is not None:
            async with scope.as_owner():
                await accounts_audit.insert_entry_of_member(
                    scope.transaction, scope.owner_id, scope.member_id, _EXPORTED, subject
                )
    async with stores.database.user(user_id) as transaction:
        await accounts_audit.insert_entry(transaction, user_id, _EXPORTED, subject)


async def remove_old_entries(stores: Stores) -> None:
    """Remove the entries of deleted accounts that are older than 90 days."""
    async with stores.database.system() as transaction:
        removed = await accounts_audit.remove_old(transaction)
    if removed:
        log.info("audit_entries_removed", count=removed)
