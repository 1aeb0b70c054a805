"""Datasets: the frozen ground truth of training runs."""

import sqlalchemy as sa

from ketav_registry.domain.ground_truth import Split
from ketav_registry.domain.models import Script
from ketav_registry.tables.columns import (
    created_at,
    enumeration,
    foreign_key,
    metadata,
    owner,
    primary_key,
)

dataset = sa.Table(
    "dataset",
    metadata,
    primary_key(),
    owner(),
    sa.Column("script", enumeration(Script), nullable=False),
    sa.Column("hand_id", sa.Uuid),
    sa.Column("manifest_sha256", sa.LargeBinary, nullable=False),
    sa.Column("training_lines", sa.Integer, nullable=False),
    sa.Column("holdout_lines", sa.Integer, nullable=False),
    # Whether a line of it was deleted since: a model that was trained on it may not serve.
    sa.Column("tainted", sa.Boolean, nullable=False, server_default=sa.false()),
    # Whether the version of its run learnt the held-out lines too, after they had measured it.
    sa.Column("completed", sa.Boolean, nullable=False, server_default=sa.false()),
    created_at(),
    foreign_key("hand", "hand_id"),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id"),
    sa.Index(None, "hand_id"),
)

dataset_line = sa.Table(
    "dataset_line",
    metadata,
    sa.Column("dataset_id", sa.Uuid, nullable=False),
    sa.Column("line_id", sa.Uuid, nullable=False),
    owner(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("geometry_sha256", sa.LargeBinary, nullable=False),
    sa.Column("correction_id", sa.Uuid, nullable=False),
    sa.Column("text_sha256", sa.LargeBinary, nullable=False),
    sa.Column("image_sha256", sa.LargeBinary, nullable=False),
    sa.Column("split", enumeration(Split), nullable=False),
    sa.PrimaryKeyConstraint("dataset_id", "line_id"),
    foreign_key("dataset", "dataset_id"),
    # The digest of a short text reveals the text. Therefore a deleted line leaves the manifest, too.
    foreign_key("correction", "correction_id", "line_id", "page_id", cascade=True),
    sa.Index(None, "user_id", "page_id", "geometry_sha256"),
    sa.Index(None, "correction_id"),
)
