"""Store the Idempotency-Key of an edit of lines: a repeated request edits once.

Older code leaves the columns empty.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and their index."""
    op.add_column("transcription", sa.Column("request_id", sa.Text))
    op.add_column("transcription", sa.Column("request_sha256", sa.LargeBinary))
    op.create_index(
        "uq_transcription_request",
        "transcription",
        ["user_id", "request_id"],
        unique=True,
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop the columns with their index."""
    op.drop_index("uq_transcription_request", "transcription")
    for column in ("request_sha256", "request_id"):
        op.drop_column("transcription", column)
