"""Requests that were done and have inserted no row with their Idempotency-Key."""

import sqlalchemy as sa

from ketav_registry.tables.columns import created_at, metadata, request_sha256

done_request = sa.Table(
    "done_request",
    metadata,
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("request_id", sa.Text, primary_key=True),
    request_sha256(),
    created_at(),
    sa.Index(None, "user_id", "created_at"),
)
