"""Users and their API keys."""

import sqlalchemy as sa

from ketav_registry.tables.columns import created, key, metadata, user

account = sa.Table("account", metadata, key(), sa.Column("name", sa.Text, nullable=False), created())

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    user(),
    sa.Column("prefix", sa.Text, nullable=False),
    created(),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Index(None, "user_id"),
)
