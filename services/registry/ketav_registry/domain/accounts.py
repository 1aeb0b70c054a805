"""Users and their API keys, as operators see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    """A user with the number of keys that are not revoked; `disable_time` is None while enabled."""

    user_id: UUID
    name: str
    create_time: datetime
    disable_time: datetime | None
    valid_keys: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key by its prefix, the 8 characters after `ktv_`; the key itself is not stored."""

    prefix: str
    user_id: UUID
    user_name: str
    create_time: datetime
    revoke_time: datetime | None


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The user of a valid API key, whether the user is disabled, and whether the key's session was ended."""

    user_id: UUID
    disabled: bool
    session_ended: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An action on an account: who did what to which subject, and when.

    The actor is `user`, `member` (of a project of the user), `operator`, or the role of a service.
    `member` is the name of the account of a member, empty after its deletion and for other actors.
    """

    entry_id: UUID
    actor: str
    action: str
    subject: str
    create_time: datetime
    member: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A user's account and one of its valid keys, as the user sees them."""

    user_id: UUID
    name: str
    create_time: datetime
    key_prefix: str
    key_create_time: datetime
