"""The queue of objects to remove. Rows outlive the account, so they do not refer to it."""

import sqlalchemy as sa

from ketav_registry.tables.columns import created_at, metadata

object_removal = sa.Table(
    "object_removal",
    metadata,
    sa.Column("object_key", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    # Failed attempts.
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    created_at(),
    sa.Index(None, "attempts", "created_at"),
)
