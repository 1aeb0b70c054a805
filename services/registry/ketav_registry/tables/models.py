"""Model versions, and which one serves."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.models import ModelState, Script
from ketav_registry.tables.columns import choice, created, metadata, user

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
