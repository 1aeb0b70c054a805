"""The first schema: tables with row-level security, and the role `ketav_service`, which owns no table."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"

# Per table: rows that a user may read, rows that a user may write, and the privileges of the service's role.
_TABLES = {
    "account": (_OWN.replace("user_id =", "id ="), _SYSTEM, "SELECT, INSERT"),
    "api_key": (_OWN, _OWN, "SELECT, INSERT, UPDATE"),
    "project": (_OWN, _OWN, "SELECT, INSERT"),
    "page": (_OWN, _OWN, "SELECT, INSERT, UPDATE"),
    "transcription": (_OWN, _OWN, "SELECT, INSERT"),
    "line": (_OWN, _OWN, "SELECT, INSERT"),
    "feedback": (_OWN, _OWN, "SELECT, INSERT"),
    "correction": (_OWN, _OWN, "SELECT, INSERT"),
    "dataset": (_OWN, _OWN, "SELECT, INSERT"),
    "dataset_line": (_OWN, _OWN, "SELECT, INSERT"),
    "training_run": (_OWN, _OWN, "SELECT, INSERT, UPDATE"),
    "model_version": (f"user_id IS NULL OR {_OWN}", _OWN, "SELECT, INSERT, UPDATE"),
    "active_model": (_OWN, _OWN, "SELECT, INSERT, UPDATE"),
}

_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ketav_service') THEN
        CREATE ROLE ketav_service LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


def upgrade() -> None:
    """Create the tables, and enable and force row-level security on each of them."""
    schema = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for statement in schema.split("\n\n")[1:]:
        op.execute(sa.text(statement))
    op.execute(_ROLE)
    op.execute("GRANT USAGE ON SCHEMA public TO ketav_service")
    op.execute("GRANT SELECT ON alembic_version TO ketav_service")
    for table, (see, write, grants) in _TABLES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING ({see} OR {_SYSTEM}) WITH CHECK ({write} OR {_SYSTEM})"
        )
        op.execute(f"GRANT {grants} ON {table} TO ketav_service")


def downgrade() -> None:
    """Drop the tables. The role stays, because other databases of the server may use it."""
    for table in reversed(_TABLES):
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("REVOKE ALL ON SCHEMA public FROM ketav_service")
