"""Lines have the extents of their characters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the extents of lines that are stored already are not known."""
    op.add_column("line", sa.Column("character_extents", pg.JSONB(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("line", "character_extents")
