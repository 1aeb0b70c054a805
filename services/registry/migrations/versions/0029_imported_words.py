"""Lines have the words of the document from which they were imported."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the words of lines that were imported before are not known."""
    op.add_column("line", sa.Column("imported_words", pg.JSONB(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("line", "imported_words")
