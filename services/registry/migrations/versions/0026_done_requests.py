"""Store the Idempotency-Keys of requests that change a row and insert none, and of readings.

Older code neither reads nor writes the table.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_UP = (
    """
    CREATE TABLE done_request (
        user_id UUID NOT NULL,
        request_id TEXT NOT NULL,
        request_sha256 BYTEA,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_done_request PRIMARY KEY (user_id, request_id),
        CONSTRAINT fk_done_request_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_done_request_user_id_created_at ON done_request (user_id, created_at)",
    "GRANT SELECT, INSERT, DELETE ON done_request TO ketav_service",
    "ALTER TABLE done_request ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE done_request FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY own_rows ON done_request USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})",
)


def upgrade() -> None:
    """Add the table, with row-level security."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table: such requests are done again when they are repeated."""
    op.execute("DROP TABLE done_request")
