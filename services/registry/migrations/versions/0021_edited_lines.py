"""Lines that a user edits: the lines that a new one replaces, and the transcription before an edit.

Older code leaves both empty: its transcriptions are readings and imports.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    digests = pg.ARRAY(sa.LargeBinary)
    op.add_column("line", sa.Column("replaces", digests, nullable=False, server_default="{}"))
    op.add_column("transcription", sa.Column("edited_from", sa.Uuid))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("transcription", "edited_from")
    op.drop_column("line", "replaces")
