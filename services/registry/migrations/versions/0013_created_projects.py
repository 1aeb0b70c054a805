"""Store the Idempotency-Key of a project's request, and permit changes of its name and script."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; older code leaves them empty."""
    op.add_column("project", sa.Column("request_id", sa.Text))
    op.add_column("project", sa.Column("request_sha256", sa.LargeBinary))
    op.create_index(
        "uq_project_request",
        "project",
        ["user_id", "request_id"],
        unique=True,
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )
    op.execute("GRANT UPDATE (name, script) ON project TO ketav_service")


def downgrade() -> None:
    """Drop the columns with their index."""
    op.execute("REVOKE UPDATE (name, script) ON project FROM ketav_service")
    op.drop_index("uq_project_request", "project")
    for column in ("request_sha256", "request_id"):
        op.drop_column("project", column)
