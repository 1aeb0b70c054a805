"""Store withdrawals of corrections, refused lines, and the reasons why lines do not train.

Older code reads a withdrawal as a correction without a text, in quarantine: it does not train.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; older code leaves them at their defaults."""
    for name in ("refused", "untrained"):
        op.add_column("feedback", sa.Column(name, pg.JSONB, nullable=False, server_default="[]"))
    op.add_column("correction", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop the columns: a withdrawal becomes a correction without a text, in quarantine."""
    op.drop_column("correction", "withdrawn")
    for name in ("untrained", "refused"):
        op.drop_column("feedback", name)
