"""Webhooks and what is to be delivered to them.

A trigger on `training_run` queues a delivery in the transaction that ends a run, whichever way it ends.
"""

import sqlalchemy as sa

from ketav_registry.domain.webhooks import DeliveryState
from ketav_registry.tables.columns import choice, created, key, metadata, user

webhook = sa.Table(
    "webhook",
    metadata,
    user(),
    sa.Column("url", sa.Text, nullable=False),
    # Key of the signatures: it has to be known, not only recognised.
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("disabled_reason", sa.Text, nullable=False, server_default=""),
    created(),
    sa.PrimaryKeyConstraint("user_id"),
)

webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    key(),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("webhook.user_id", ondelete="CASCADE"), nullable=False),
    # NULL: a test.
    sa.Column("run_id", sa.Uuid),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("state", choice(DeliveryState), nullable=False, server_default=DeliveryState.WAITING),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    # When it may be tried: also the end of the lease of who is trying.
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    created(),
    sa.Index("ix_webhook_delivery_due_at", "due_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.Index("ix_webhook_delivery_created_at", "created_at", postgresql_where=sa.text("state <> 'waiting'")),
    sa.Index(None, "user_id", "created_at"),
)
