"""Name the author of a correction that an undone edit restores, and the member of an audited export."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; older rows have none, as the rows of owners."""
    op.add_column("correction", sa.Column("author_feedback_id", sa.Uuid))
    op.create_foreign_key(
        op.f("fk_correction_author_feedback_id_page_id_user_id"),
        "correction",
        "feedback",
        ["author_feedback_id", "page_id", "user_id"],
        ["id", "page_id", "user_id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_correction_author_feedback_id",
        "correction",
        ["author_feedback_id"],
        postgresql_where=sa.text("author_feedback_id IS NOT NULL"),
    )
    op.add_column("audit_entry", sa.Column("member_id", sa.Uuid))


def downgrade() -> None:
    """Drop the columns: the account that restored a correction becomes its author."""
    op.drop_column("audit_entry", "member_id")
    op.drop_column("correction", "author_feedback_id")
