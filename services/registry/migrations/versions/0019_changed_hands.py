"""Store when a project got another hand: its lines may make a run of that hand due.

Older code leaves the column empty, as if the project had been created with its hand.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("project", sa.Column("hand_changed_at", sa.DateTime(timezone=True)))
    op.execute("GRANT UPDATE (hand_changed_at) ON project TO ketav_service")


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("project", "hand_changed_at")
