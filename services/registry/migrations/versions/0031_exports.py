"""Add exports that jobs write, with their results; a viewer may create an export of a shared project."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_IS_OWNER = "NULLIF(current_setting('app.member_id', true), '') IS NULL"
_IS_EDITOR = "(SELECT member_role()) = 'editor'"
_MEMBER = "NULLIF(current_setting('app.member_id', true), '')::uuid"
_PROJECT = "(SELECT member_project())"
_JOB = f"project_id = {_PROJECT}"
_SEEN = "job_id = ANY ((SELECT member_jobs())::uuid[])"
_OWN_EXPORT = "job_id = ANY ((SELECT member_exports())::uuid[])"
_TABLE = """
CREATE TABLE job_export (
    job_id UUID NOT NULL,
    user_id UUID NOT NULL,
    format TEXT NOT NULL,
    page_ids UUID[] NOT NULL,
    images BOOLEAN NOT NULL,
    address TEXT NOT NULL,
    base TEXT NOT NULL,
    fence BIGINT DEFAULT '0' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    error_code TEXT DEFAULT '' NOT NULL,
    error_detail TEXT DEFAULT '' NOT NULL,
    result_key TEXT,
    result_sha256 BYTEA,
    result_bytes BIGINT,
    result_expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_job_export PRIMARY KEY (job_id),
    CONSTRAINT fk_job_export_job_id_user_id FOREIGN KEY (job_id, user_id)
        REFERENCES job (id, user_id) ON DELETE CASCADE,
    CONSTRAINT uq_job_export_result_key UNIQUE (result_key)
)
"""
_FUNCTIONS = {
    "member_exports": f"""
        SELECT array_agg(id) FROM job
        WHERE project_id = member_project() AND kind = 'export' AND member_id = {_MEMBER}
    """,  # noqa: S608 - constants of this module
    "shared_exports": """
        SELECT array_agg(id) FROM job WHERE project_id = ANY (shared_projects()) AND kind = 'export'
    """,
}
# What a member inserts and updates. An editor does as before; each member has exports of their own.
_JOB_INSERT = f"(({_IS_EDITOR} OR kind = 'export') AND {_JOB})"
_JOB_UPDATE = f"(({_IS_EDITOR} OR (kind = 'export' AND member_id = {_MEMBER})) AND {_JOB})"
_EDITORS_JOB = f"({_IS_EDITOR} AND {_JOB})"


def upgrade() -> None:
    """Add the column, the table and its policies, and let viewers insert and update their own exports."""
    op.add_column("job", sa.Column("kind", sa.String(32), nullable=False, server_default="reading"))
    op.create_check_constraint(op.f("ck_job_jobkind"), "job", "kind IN ('reading', 'export')")
    op.execute(_TABLE)
    for name, query in _FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS $$ {query} $$"
        )
    op.execute("ALTER TABLE job_export ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE job_export FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE ON job_export TO ketav_service")
    either = f"{_OWN} OR {_SYSTEM}"
    op.execute(f"CREATE POLICY own_rows ON job_export USING ({either}) WITH CHECK ({either})")
    op.execute(
        "CREATE POLICY shared_rows ON job_export FOR SELECT USING "
        "(job_id = ANY ((SELECT shared_exports())::uuid[]))"
    )
    changed = f"(({_IS_EDITOR} AND {_SEEN}) OR {_OWN_EXPORT})"
    for command, rows in (("SELECT", _SEEN), ("UPDATE", changed), ("DELETE", "false")):
        _restrict("job_export", command, rows)
    _restrict("job_export", "INSERT", _OWN_EXPORT)
    _replace_job_policies(_JOB_INSERT, _JOB_UPDATE)


def _restrict(table: str, command: str, rows: str) -> None:
    """Restrict a command of a transaction for a member to some rows."""
    clause = "WITH CHECK" if command == "INSERT" else "USING"
    op.execute(
        f"CREATE POLICY members_{command.lower()} ON {table} AS RESTRICTIVE FOR {command} "
        f"{clause} ({_IS_OWNER} OR {rows})"
    )


def _replace_job_policies(inserted: str, updated: str) -> None:
    """Replace what a member inserts and updates of the jobs of a project."""
    for command, rows in (("INSERT", inserted), ("UPDATE", updated)):
        op.execute(f"DROP POLICY members_{command.lower()} ON job")
        _restrict("job", command, rows)


def downgrade() -> None:
    """Delete the exports; their results become objects without a row, which a sweep removes."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute("DELETE FROM job WHERE kind = 'export'")
    _replace_job_policies(_EDITORS_JOB, _EDITORS_JOB)
    op.execute("DROP TABLE job_export")
    for name in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_column("job", "kind")
