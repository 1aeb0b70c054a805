"""Model versions, which one serves, and the training runs that make them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.models import ModelState, Script
from ketav_registry.domain.training import RunState, Split
from ketav_registry.tables.columns import choice, created, key, metadata, once_a_request, owned, request, user

model_version = sa.Table(
    "model_version",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    # A base model has no user.
    user(nullable=True),
    # A base model without a script serves every script that has no base of its own.
    sa.Column("script", choice(Script)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("state", choice(ModelState), nullable=False),
    sa.Column("parent_version", sa.Text, sa.ForeignKey("model_version.version")),
    sa.Column("run_id", sa.Uuid, unique=True),
    sa.Column("cer_before", sa.Double),
    sa.Column("cer_after", sa.Double),
    sa.Column("training_lines", sa.Integer, nullable=False, server_default="0"),
    # What it can write, as its file says; NULL when the file does not.
    sa.Column("alphabet", sa.Text),
    sa.Column("model_card", pg.JSONB, nullable=False, server_default="{}"),
    created(),
    sa.ForeignKeyConstraint(["run_id", "user_id"], ["training_run.id", "training_run.user_id"]),
    sa.CheckConstraint("(user_id IS NULL) = (run_id IS NULL)", name="user_by_run"),
    sa.CheckConstraint("user_id IS NULL OR script IS NOT NULL", name="user_script"),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "sha256"),
)

active_model = sa.Table(
    "active_model",
    metadata,
    user(),
    sa.Column("script", choice(Script), nullable=False),
    # NULL: whatever is the base; the row stays, for its generation is never lowered.
    sa.Column("version", sa.Text, sa.ForeignKey("model_version.version")),
    # Raised by every change, never lowered.
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column(
        "updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    ),
    sa.PrimaryKeyConstraint("user_id", "script"),
)

dataset = sa.Table(
    "dataset",
    metadata,
    key(),
    user(),
    sa.Column("script", choice(Script), nullable=False),
    sa.Column("manifest_sha256", sa.LargeBinary, nullable=False),
    sa.Column("training_lines", sa.Integer, nullable=False),
    sa.Column("holdout_lines", sa.Integer, nullable=False),
    # Whether a line of it was deleted since: what learnt from it may not serve.
    sa.Column("tainted", sa.Boolean, nullable=False, server_default=sa.false()),
    created(),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id"),
)

dataset_line = sa.Table(
    "dataset_line",
    metadata,
    sa.Column("dataset_id", sa.Uuid, nullable=False),
    sa.Column("line_id", sa.Uuid, nullable=False),
    user(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("place", sa.LargeBinary, nullable=False),
    sa.Column("correction_id", sa.Uuid, nullable=False),
    sa.Column("text_sha256", sa.LargeBinary, nullable=False),
    sa.Column("image_sha256", sa.LargeBinary, nullable=False),
    sa.Column("split", choice(Split), nullable=False),
    sa.PrimaryKeyConstraint("dataset_id", "line_id"),
    owned("dataset", "dataset_id"),
    # A deleted line leaves the manifest with its digest, which would give a short text away.
    owned("correction", "correction_id", "line_id", "page_id", goes_with=True),
    sa.Index(None, "user_id", "page_id", "place"),
    sa.Index(None, "correction_id"),
)

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
