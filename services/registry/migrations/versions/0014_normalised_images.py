"""Pages say how their images were normalised, and what is wrong with images that were read in part."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; images that are stored already have no codes."""
    for name in ("normalised", "warnings"):
        op.add_column("page", sa.Column(name, pg.ARRAY(sa.Text), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Remove the columns."""
    for name in ("warnings", "normalised"):
        op.drop_column("page", name)
