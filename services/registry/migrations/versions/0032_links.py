"""Add the number of a project's links: one with an earlier number is revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("project", sa.Column("link_number", sa.Integer, nullable=False, server_default="0"))
    op.execute("GRANT UPDATE (link_number) ON project TO ketav_service")


def downgrade() -> None:
    """Drop the column: links that were revoked work again until they expire."""
    op.drop_column("project", "link_number")
