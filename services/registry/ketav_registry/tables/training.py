"""Training runs and the policies of automatic ones."""

import sqlalchemy as sa

from ketav_registry.domain.models import Script
from ketav_registry.domain.training import RunState
from ketav_registry.tables.columns import (
    created_at,
    enumeration,
    foreign_key,
    metadata,
    owner,
    primary_key,
    request_id,
    request_sha256,
    timestamp,
    traceparent,
    unique_request,
)

_ACTIVE = sa.text("state IN ('queued', 'running', 'evaluating')")

training_run = sa.Table(
    "training_run",
    metadata,
    primary_key(),
    owner(),
    sa.Column("dataset_id", sa.Uuid, nullable=False),
    sa.Column("script", enumeration(Script), nullable=False),
    sa.Column("hand_id", sa.Uuid),
    sa.Column("state", enumeration(RunState), nullable=False),
    # Incremented by each change that users see.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    # Incremented by each claim: the writes of an earlier claim change no row.
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    sa.Column("worker", sa.Text),
    # The model that is fine-tuned, and the one that served when the run was claimed, which is compared with.
    sa.Column("parent_version", sa.Text),
    sa.Column("serving_version", sa.Text),
    # The base from which the hand is trained once more, because its model descends from an older one.
    sa.Column("new_base", sa.Text),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("epochs", sa.Integer, nullable=False, server_default="0"),
    # The first epoch that this attempt reported, the time of that report, and the end of the latest epoch.
    sa.Column("first_epoch", sa.Integer),
    sa.Column("first_epoch_at", sa.DateTime(timezone=True)),
    sa.Column("epoch_at", sa.DateTime(timezone=True)),
    # Mean CTC loss of the last epoch in nats per character.
    sa.Column("loss", sa.Double),
    # CER, 0 to 1: on the held-out lines while the run is active, then on all lines of the verdict.
    sa.Column("cer_base", sa.Double),
    sa.Column("cer_candidate", sa.Double),
    sa.Column("verdict", sa.Text, nullable=False, server_default=""),
    request_id(),
    request_sha256(),
    traceparent(),
    created_at(),
    timestamp("updated_at"),
    foreign_key("dataset", "dataset_id"),
    foreign_key("hand", "hand_id"),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index("uq_training_run_active", "user_id", unique=True, postgresql_where=_ACTIVE),
    sa.Index("ix_training_run_state", "state", "lease_until", postgresql_where=_ACTIVE),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "dataset_id"),
    sa.Index(None, "hand_id"),
    unique_request("training_run"),
)

training_policy = sa.Table(
    "training_policy",
    metadata,
    owner(),
    sa.Column("automatic", sa.Boolean, nullable=False),
    sa.Column("minimum_gap", sa.Interval, nullable=False),
    timestamp("updated_at"),
    sa.PrimaryKeyConstraint("user_id"),
)
