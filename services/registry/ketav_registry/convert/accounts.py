"""Conversion of accounts."""

from datetime import UTC, datetime

from ketav.registry.v1 import accounts_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.accounts import Account, AuditEntry

_SESSION_BYTES = 16


def account_message(account: Account) -> accounts_pb2.GetAccountResponse:
    """Return the message of an account and one of its keys."""
    return accounts_pb2.GetAccountResponse(
        user_id=str(account.user_id),
        name=account.name,
        create_time=common.timestamp(account.create_time),
        key_prefix=account.key_prefix,
        key_create_time=common.timestamp(account.key_create_time),
    )


def session_id(value: bytes) -> bytes:
    """Return the name of a session, or nothing. InvalidInput invalid-session: it does not have 16 bytes."""
    if len(value) not in {0, _SESSION_BYTES}:
        raise InvalidInput(
            f"The name of the session has {len(value)} bytes. Send {_SESSION_BYTES}.", code="invalid-session"
        )
    return bytes(value)


def ended_session(request: accounts_pb2.EndSessionRequest) -> tuple[bytes, datetime]:
    """Return the name of a session and when it ends by itself. InvalidInput invalid-session: no name."""
    if not request.session_id:
        raise InvalidInput("The request names no session. Send its 16 bytes.", code="invalid-session")
    return session_id(request.session_id), request.expire_time.ToDatetime(UTC)


def audit_message(entry: AuditEntry) -> accounts_pb2.AuditEntry:
    """Return the message of an entry of the audit log."""
    return accounts_pb2.AuditEntry(
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        create_time=common.timestamp(entry.create_time),
        member=entry.member,
    )
