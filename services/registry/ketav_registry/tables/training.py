"""Training runs and the policies of automatic ones."""

import sqlalchemy as sa

from ketav_registry.domain.models import Script
from ketav_registry.domain.training import RunState
from ketav_registry.tables.columns import choice, created, key, metadata, once_a_request, owned, request, user

_ACTIVE = sa.text("state IN ('queued', 'running', 'evaluating')")

training_run = sa.Table(
    "training_run",
    metadata,
    key(),
    user(),
    sa.Column("dataset_id", sa.Uuid, nullable=False),
    sa.Column("script", choice(Script), nullable=False),
    sa.Column("state", choice(RunState), nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("worker", sa.Text),
    # What served the user when the run was claimed: the model it starts from and has to beat.
    sa.Column("parent_version", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("epochs", sa.Integer, nullable=False, server_default="0"),
    # The epoch at which this attempt began, when that was, and when the latest epoch ended.
    sa.Column("first_epoch", sa.Integer),
    sa.Column("first_epoch_at", sa.DateTime(timezone=True)),
    sa.Column("epoch_at", sa.DateTime(timezone=True)),
    sa.Column("loss", sa.Double),
    sa.Column("cer_base", sa.Double),
    sa.Column("cer_candidate", sa.Double),
    sa.Column("verdict", sa.Text, nullable=False, server_default=""),
    *request()[:1],
    created(),
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    ),
    owned("dataset", "dataset_id"),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index("uq_training_run_active", "user_id", unique=True, postgresql_where=_ACTIVE),
    sa.Index("ix_training_run_state", "state", "lease_until", postgresql_where=_ACTIVE),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "dataset_id"),
    once_a_request("training_run"),
)

training_policy = sa.Table(
    "training_policy",
    metadata,
    user(),
    sa.Column("automatic", sa.Boolean, nullable=False),
    sa.Column("minimum_gap", sa.Interval, nullable=False),
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    ),
    sa.PrimaryKeyConstraint("user_id"),
)
