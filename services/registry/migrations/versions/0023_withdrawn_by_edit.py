"""Mark the withdrawals of corrections by edits of lines, which undoing an edit takes back.

Older code leaves the column at its default: undoing its edits restores the lines without their corrections.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_MARK = (
    "UPDATE correction SET withdrawn_by_edit = true WHERE withdrawn AND quarantine_reason = 'The line was "
    "replaced or deleted when the lines were edited. Undo the edit, or correct the new lines.'"
)
"""Until now such a withdrawal was recognised by its reason."""


def upgrade() -> None:
    """Add the column, and set it for the withdrawals so far."""
    mark = sa.Column("withdrawn_by_edit", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("correction", mark)
    # Row-level security applies to the owner, too.
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute(_MARK)
    op.execute("SELECT set_config('app.system', 'off', true)")


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("correction", "withdrawn_by_edit")
