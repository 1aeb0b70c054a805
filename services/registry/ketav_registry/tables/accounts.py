"""Users, their API keys, and sessions of browsers that they have ended."""

import sqlalchemy as sa

from ketav_registry.tables.columns import created_at, metadata, owner, primary_key

account = sa.Table(
    "account",
    metadata,
    primary_key(),
    sa.Column("name", sa.Text, nullable=False),
    created_at(),
    # Set while the keys of the account are refused.
    sa.Column("disabled_at", sa.DateTime(timezone=True)),
)

api_key = sa.Table(
    "api_key",
    metadata,
    # The key itself is not stored.
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    owner(),
    # The 8 characters after `ktv_`, by which an operator names a key.
    sa.Column("prefix", sa.Text, nullable=False),
    created_at(),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Index(None, "user_id"),
)

ended_session = sa.Table(
    "ended_session",
    metadata,
    # A gateway signs sessions and stores none; a row refuses one until it ends by itself.
    sa.Column("id", sa.LargeBinary, primary_key=True),
    owner(),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index(None, "user_id", "expires_at"),
)
