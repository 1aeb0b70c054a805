"""Record whether the version of a dataset learnt the held-out lines after they had measured it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no earlier version has learnt its held-out lines."""
    op.add_column("dataset", sa.Column("completed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("GRANT UPDATE (completed) ON dataset TO ketav_service")


def downgrade() -> None:
    """Drop the column: lines that completed a version may measure the next one again."""
    op.drop_column("dataset", "completed")
