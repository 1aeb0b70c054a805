"""Datasets: the frozen ground truth of training runs."""

import sqlalchemy as sa

from ketav_registry.domain.ground_truth import Split
from ketav_registry.domain.models import Script
from ketav_registry.tables.columns import choice, created, key, metadata, owned, user

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
