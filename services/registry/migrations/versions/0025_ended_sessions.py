"""Store the sessions of browsers that their users have ended: a copy of such a cookie is refused.

Older code neither reads nor writes the table.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_UP = (
    """
    CREATE TABLE ended_session (
        id BYTEA NOT NULL,
        user_id UUID NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_ended_session PRIMARY KEY (id),
        CONSTRAINT fk_ended_session_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_ended_session_user_id_expires_at ON ended_session (user_id, expires_at)",
    "GRANT SELECT, INSERT, DELETE ON ended_session TO ketav_service",
    "ALTER TABLE ended_session ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE ended_session FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY own_rows ON ended_session USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})",
)


def upgrade() -> None:
    """Add the table, with row-level security."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the table: ended sessions whose cookie was copied work again until they expire."""
    op.execute("DROP TABLE ended_session")
