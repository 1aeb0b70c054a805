"""Queries on the audit log. Most entries are written by triggers, with the actor of the transaction."""

from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.accounts import AuditEntry
from ketav_registry.domain.requests import ListPosition
from ketav_registry.tables import audit_entry

_entry = audit_entry.c


async def list_entries(
    transaction: Transaction, user_id: UUID, after: ListPosition[UUID] | None, limit: int
) -> list[AuditEntry]:
    """Return at most `limit` entries of a user, newest first."""
    query = sa.select(_entry.id, _entry.actor, _entry.action, _entry.subject, _entry.created_at)
    query = query.where(_entry.user_id == user_id).order_by(_entry.created_at.desc(), _entry.id.desc())
    if after is not None:
        query = query.where(sa.tuple_(_entry.created_at, _entry.id) < after)
    rows = await transaction.execute(query.limit(limit))
    return [AuditEntry(row.id, row.actor, row.action, row.subject, row.created_at) for row in rows]


async def insert_entry(transaction: Transaction, user_id: UUID, action: str, subject: str) -> None:
    """Insert an entry about an action that changes no row, such as an export."""
    await transaction.execute(sa.select(sa.func.audit(user_id, action, subject)))


async def remove_old(transaction: Transaction) -> int:
    """Remove the entries of deleted accounts that are older than 90 days; return their number."""
    removed: int = await transaction.scalar(sa.text("SELECT remove_old_audit()"))
    return removed
