"""The audit log, which triggers write. Its rows outlive the account, so they do not refer to it."""

import sqlalchemy as sa

from ketav_registry.tables.columns import created_at, metadata, primary_key

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    primary_key(),
    # A random number, which identifies no person after the account is deleted.
    sa.Column("user_id", sa.Uuid, nullable=False),
    # `user`, `operator`, the role of a service, or `database` for statements outside the services.
    sa.Column("actor", sa.Text, nullable=False),
    # Such as `key.created` (AuditEntry).
    sa.Column("action", sa.Text, nullable=False),
    # What was changed: a key's prefix, a model's version, the id of a project. Never a name or a text.
    sa.Column("subject", sa.Text, nullable=False, server_default=""),
    # The member of the user's project who did it; NULL: the user, or none.
    sa.Column("member_id", sa.Uuid),
    created_at(),
    sa.Index(None, "user_id", "created_at", "id"),
)
