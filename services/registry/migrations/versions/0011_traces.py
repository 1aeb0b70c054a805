"""Store the trace of the request that caused a training run or stored corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("training_run", "feedback")


def upgrade() -> None:
    """Add the columns; older code leaves them empty."""
    for table in _TABLES:
        op.add_column(table, sa.Column("traceparent", sa.Text))


def downgrade() -> None:
    """Drop the columns."""
    for table in _TABLES:
        op.drop_column(table, "traceparent")
