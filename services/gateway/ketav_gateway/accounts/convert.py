"""Accounts from protobuf to JSON."""

from ketav.registry.v1 import accounts_pb2
from ketav_gateway.accounts import schemas
from ketav_gateway.convert import timestamp
from ketav_gateway.settings import GatewaySettings


def account(message: accounts_pb2.GetAccountResponse, settings: GatewaySettings) -> schemas.Account:
    """Return an account with the limits of this server."""
    limits = schemas.Limits(
        requests=settings.rate_limit,
        readings=settings.ocr_rate_limit,
        uploads_at_once=settings.max_uploads_per_user,
        imports_at_once=settings.max_imports_per_user,
        max_upload_bytes=settings.max_upload_bytes,
        max_import_bytes=settings.max_import_bytes,
        max_json_bytes=settings.max_json_bytes,
    )
    return schemas.Account(
        user_id=message.user_id,
        name=message.name,
        created_at=timestamp(message.create_time),
        key=schemas.Key(prefix=f"ktv_{message.key_prefix}", created_at=timestamp(message.key_create_time)),
        roles=["user"],
        limits=limits,
    )


def audit_list(message: accounts_pb2.ListAuditEntriesResponse) -> schemas.AuditList:
    """Return a part of the audit log."""
    entries = [
        schemas.AuditEntry(
            created_at=timestamp(entry.create_time),
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            member=entry.member or None,
        )
        for entry in message.entries
    ]
    return schemas.AuditList(entries=entries, next_cursor=message.next_cursor or None)
