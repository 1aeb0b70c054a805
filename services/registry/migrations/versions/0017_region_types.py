"""Lines have a region type."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TYPES = "'paragraph', 'heading', 'header', 'footer', 'page-number', 'marginalia'"


def upgrade() -> None:
    """Add the column; lines that are stored already are paragraphs."""
    op.add_column("line", sa.Column("region", sa.String(32), nullable=False, server_default="paragraph"))
    op.create_check_constraint("regiontype", "line", f"region IN ({_TYPES})")


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("line", "region")
