"""Store the digest of the request that starts a run, and whether a user has given the rotation of an image.

Older code leaves both at their defaults: such a run accepts any request with its key.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("training_run", sa.Column("request_sha256", sa.LargeBinary))
    op.add_column("page", sa.Column("fixed_rotation", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("page", "fixed_rotation")
    op.drop_column("training_run", "request_sha256")
