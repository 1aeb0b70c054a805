"""Add the quarantine of corrections, the alphabets of models, and the image digests of datasets."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REASONS = "quarantine IN ('empty-text', 'outside-alphabet', 'too-long-for-line', 'unlike-reading')"


def upgrade() -> None:
    """Add the columns, and fill in the image digests of existing datasets."""
    op.add_column("correction", sa.Column("quarantine", sa.String(32)))
    op.add_column("correction", sa.Column("quarantine_reason", sa.Text))
    op.add_column("correction", sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_check_constraint(op.f("ck_correction_doubt"), "correction", sa.text(_REASONS))
    op.add_column("model_version", sa.Column("alphabet", sa.Text))
    op.add_column("dataset_line", sa.Column("image_sha256", sa.LargeBinary))
    # Row-level security applies to the owner, too.
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute(
        "UPDATE dataset_line SET image_sha256 = page.sha256 FROM page WHERE page.id = dataset_line.page_id"
    )
    op.execute("SELECT set_config('app.system', 'off', true)")
    op.alter_column("dataset_line", "image_sha256", nullable=False)


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("dataset_line", "image_sha256")
    op.drop_column("model_version", "alphabet")
    op.drop_constraint(op.f("ck_correction_doubt"), "correction")
    for column in ("confirmed", "quarantine_reason", "quarantine"):
        op.drop_column("correction", column)
