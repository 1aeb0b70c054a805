"""Webhooks and the outbox of their deliveries.

Triggers on `training_run` and `job` insert a delivery in the transaction that ends a run or a job, whatever
ends it.
"""

import sqlalchemy as sa

from ketav_registry.domain.webhooks import DeliveryState
from ketav_registry.tables.columns import created_at, enumeration, metadata, owner, primary_key, timestamp

webhook = sa.Table(
    "webhook",
    metadata,
    owner(),
    sa.Column("url", sa.Text, nullable=False),
    # Key of the signatures. The sender needs the key itself, so a digest is not enough.
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("disabled_reason", sa.Text, nullable=False, server_default=""),
    created_at(),
    sa.PrimaryKeyConstraint("user_id"),
)

webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    primary_key(),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("webhook.user_id", ondelete="CASCADE"), nullable=False),
    # The run or the job that has ended; both are NULL for a test.
    sa.Column("run_id", sa.Uuid),
    sa.Column("job_id", sa.Uuid),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("state", enumeration(DeliveryState), nullable=False, server_default=DeliveryState.WAITING),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    # Time of the next attempt. A claim moves it to the end of the sender's lease.
    timestamp("due_at"),
    created_at(),
    sa.Index("ix_webhook_delivery_due_at", "due_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.Index("ix_webhook_delivery_created_at", "created_at", postgresql_where=sa.text("state <> 'waiting'")),
    sa.Index(None, "user_id", "created_at"),
)
