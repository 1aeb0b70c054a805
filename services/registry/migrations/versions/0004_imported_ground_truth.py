"""Allow transcriptions without a model, and add the origin of corrections, for imported ground truth."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow NULL as the model of a transcription, and add the column `origin`."""
    op.alter_column("transcription", "model_version", nullable=True)
    op.add_column("correction", sa.Column("origin", sa.String(32), nullable=False, server_default="user"))
    op.create_check_constraint(
        op.f("ck_correction_origin"), "correction", sa.text("origin IN ('user', 'imported')")
    )


def downgrade() -> None:
    """Drop the column. Fails if there are imported transcriptions, which have no model."""
    op.drop_constraint(op.f("ck_correction_origin"), "correction")
    op.drop_column("correction", "origin")
    op.alter_column("transcription", "model_version", nullable=False)
