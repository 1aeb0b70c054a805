"""Lines are searched by trigrams."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the extension; it is trusted, so the owner of the database may."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")


def downgrade() -> None:
    """Drop the extension."""
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
