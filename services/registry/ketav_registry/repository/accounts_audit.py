"""Queries on the audit log. Most entries are written by triggers, with the actor of the transaction."""

from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.accounts import AuditEntry
from ketav_registry.domain.requests import ListPosition
from ketav_registry.tables import account, audit_entry

_entry = audit_entry.c

MEMBER: Final = "member"
"""The actor of an entry about an action of a member of the user's project."""


async def list_entries(
    transaction: Transaction, user_id: UUID, after: ListPosition[UUID] | None, limit: int
) -> list[AuditEntry]:
    """Return at most `limit` entries of a user, newest first, with the names of visible members."""
    columns = (_entry.id, _entry.actor, _entry.action, _entry.subject, _entry.created_at, account.c.name)
    query = sa.select(*columns).outerjoin_from(audit_entry, account, account.c.id == _entry.member_id)
    query = query.where(_entry.user_id == user_id).order_by(_entry.created_at.desc(), _entry.id.desc())
    if after is not None:
        query = query.where(sa.tuple_(_entry.created_at, _entry.id) < after)
    rows = await transaction.execute(query.limit(limit))
    return [
        AuditEntry(row.id, row.actor, row.action, row.subject, row.created_at, row.name or "") for row in rows
    ]


async def insert_entry(transaction: Transaction, user_id: UUID, action: str, subject: str) -> None:
    """Insert an entry about an action that changes no row, such as an export."""
    await transaction.execute(sa.select(sa.func.audit(user_id, action, subject)))


async def insert_entry_of_member(
    transaction: Transaction, owner_id: UUID, member_id: UUID, action: str, subject: str
) -> None:
    """Insert an entry into the log of an owner about an action of a member of their project."""
    values = {"id": uuid4(), "user_id": owner_id, "member_id": member_id, "actor": MEMBER}
    await transaction.execute(audit_entry.insert().values(**values, action=action, subject=subject))


async def remove_old(transaction: Transaction) -> int:
    """Remove the entries of deleted accounts that are older than 90 days; return their number."""
    removed: int = await transaction.scalar(sa.text("SELECT remove_old_audit()"))
    return removed
