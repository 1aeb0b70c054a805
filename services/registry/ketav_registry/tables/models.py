"""Model versions, and the version that serves each user."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.models import ModelState, Script
from ketav_registry.tables.columns import created_at, enumeration, foreign_key, metadata, owner, timestamp

model_version = sa.Table(
    "model_version",
    metadata,
    sa.Column("version", sa.Text, primary_key=True),
    # NULL for a base model.
    owner(nullable=True),
    # NULL: a base model for every script that has no base of its own.
    sa.Column("script", enumeration(Script)),
    sa.Column("hand_id", sa.Uuid),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("state", enumeration(ModelState), nullable=False),
    sa.Column("parent_version", sa.Text, sa.ForeignKey("model_version.version")),
    # The base that it descends from, NULL for a base. A trigger sets it, and the hand, at the insertion.
    sa.Column("base_version", sa.Text, sa.ForeignKey("model_version.version")),
    sa.Column("run_id", sa.Uuid, unique=True),
    # CER on the run's held-out lines, 0 to 1: of the model that served before, and of this one.
    sa.Column("cer_before", sa.Double),
    sa.Column("cer_after", sa.Double),
    sa.Column("training_lines", sa.Integer, nullable=False, server_default="0"),
    # Characters that the model can write; NULL when its file does not list them.
    sa.Column("alphabet", sa.Text),
    sa.Column("model_card", pg.JSONB, nullable=False, server_default="{}"),
    created_at(),
    sa.ForeignKeyConstraint(["run_id", "user_id"], ["training_run.id", "training_run.user_id"]),
    foreign_key("hand", "hand_id"),
    sa.CheckConstraint("(user_id IS NULL) = (run_id IS NULL)", name="user_by_run"),
    sa.CheckConstraint("user_id IS NULL OR script IS NOT NULL", name="user_script"),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "sha256"),
    sa.Index(None, "hand_id"),
)

# Of the user's own hands; those of other hands are in the next table, because older code has one for a
# script.
active_model = sa.Table(
    "active_model",
    metadata,
    owner(),
    sa.Column("script", enumeration(Script), nullable=False),
    # NULL: the script's base serves. The row stays, so that its generation never decreases.
    sa.Column("version", sa.Text, sa.ForeignKey("model_version.version")),
    # Incremented by each change.
    sa.Column("generation", sa.BigInteger, nullable=False),
    timestamp("updated_at"),
    sa.PrimaryKeyConstraint("user_id", "script"),
)

active_hand_model = sa.Table(
    "active_hand_model",
    metadata,
    sa.Column("hand_id", sa.Uuid, nullable=False),
    owner(),
    # A version of the hand, or one of the user's own hand that read the hand's lines better than the base.
    # NULL: the script's base serves.
    sa.Column("version", sa.Text, sa.ForeignKey("model_version.version")),
    # Incremented by each change.
    sa.Column("generation", sa.BigInteger, nullable=False),
    timestamp("updated_at"),
    foreign_key("hand", "hand_id"),
    sa.PrimaryKeyConstraint("hand_id"),
    sa.Index(None, "user_id"),
)
