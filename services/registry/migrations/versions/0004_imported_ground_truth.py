"""Ground truth from elsewhere: lines that no model has read, and corrections that nobody typed here."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let lines come without a model; say where a correction came from."""
    op.alter_column("transcription", "model_version", nullable=True)
    op.add_column("correction", sa.Column("origin", sa.String(32), nullable=False, server_default="user"))
    op.create_check_constraint(
        op.f("ck_correction_origin"), "correction", sa.text("origin IN ('user', 'imported')")
    )


def downgrade() -> None:
    """Forget the origins. Fails while there are imported lines: they have no model to name."""
    op.drop_constraint(op.f("ck_correction_origin"), "correction")
    op.drop_column("correction", "origin")
    op.alter_column("transcription", "model_version", nullable=False)
