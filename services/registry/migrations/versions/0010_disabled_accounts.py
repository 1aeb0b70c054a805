"""Allow accounts to be disabled: the keys of a disabled account are refused until it is enabled again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the service's role may change no other column of an account."""
    op.add_column("account", sa.Column("disabled_at", sa.DateTime(timezone=True)))
    op.execute("GRANT UPDATE (disabled_at) ON account TO ketav_service")


def downgrade() -> None:
    """Drop the column; disabled accounts are enabled."""
    op.drop_column("account", "disabled_at")
