"""Add deletion: rows are deleted with their page, project or account; records and a queue of objects remain.

The service's role may delete pages, projects and accounts only. The foreign keys delete the rows that refer
to them, so that a single correction still cannot be deleted.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"

# Tables whose rows are deleted with the account.
_USERS = (
    *("api_key", "project", "page", "transcription", "line", "feedback", "correction"),
    *("dataset", "dataset_line", "training_run", "training_policy"),
    *("model_version", "active_model"),
)
# Rows that are deleted with the row they refer to: table, columns, and that row's table and columns.
_DEPENDENT = (
    ("page", "project_id, user_id", "project", "id, user_id"),
    ("transcription", "page_id, user_id", "page", "id, user_id"),
    ("line", "transcription_id, page_id, user_id", "transcription", "id, page_id, user_id"),
    ("feedback", "page_id, project_id, user_id", "page", "id, project_id, user_id"),
    ("correction", "page_id, project_id, user_id", "page", "id, project_id, user_id"),
    ("correction", "feedback_id, page_id, user_id", "feedback", "id, page_id, user_id"),
    ("correction", "line_id, page_id, place, user_id", "line", "id, page_id, place, user_id"),
    ("correction", "supersedes", "correction", "id"),
    (
        "dataset_line",
        "correction_id, line_id, page_id, user_id",
        "correction",
        "id, line_id, page_id, user_id",
    ),
)
_INDEXES = {
    "page": ("user_id", "sha256"),
    "transcription": ("user_id", "model_version"),
    "line": ("user_id",),
    "feedback": ("page_id",),
    "correction": ("feedback_id", "line_id"),
    "dataset": ("user_id",),
    "dataset_line": ("correction_id",),
    "training_run": ("dataset_id",),
}
_STATES = ("active", "available", "retired")
_NEW = """
CREATE TABLE erasure (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind VARCHAR(32) NOT NULL,
    pages INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    corrections INTEGER NOT NULL,
    tainted_versions INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_erasure PRIMARY KEY (id),
    CONSTRAINT ck_erasure_erasedkind CHECK (kind IN ('page', 'project', 'account'))
);
CREATE INDEX ix_erasure_user_id ON erasure (user_id);
CREATE TABLE object_removal (
    object_key TEXT NOT NULL,
    user_id UUID NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_object_removal PRIMARY KEY (object_key)
);
CREATE INDEX ix_object_removal_attempts_created_at ON object_removal (attempts, created_at);
ALTER TABLE page ADD COLUMN object_key TEXT;
ALTER TABLE page ADD CONSTRAINT uq_page_object_key UNIQUE (object_key);
ALTER TABLE dataset ADD COLUMN tainted BOOLEAN DEFAULT false NOT NULL
"""
# Without the keys the images could not be found any more.
_REFUSE = """
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM page WHERE object_key IS NOT NULL) THEN
        RAISE EXCEPTION 'Pages have object keys, which revision 0004 lacks. Their images would be lost.';
    END IF;
END $$
"""
_GRANTS = {
    "account": "DELETE",
    "project": "DELETE",
    "page": "DELETE",
    "dataset": "UPDATE (tainted)",
    "erasure": "SELECT, INSERT",
    "object_removal": "SELECT, INSERT, UPDATE, DELETE",
}


def _replace_foreign_key(table: str, columns: str, target: str, keys: str, *, cascade: bool) -> None:
    """Replace a foreign key by one with or without ON DELETE CASCADE."""
    name = f"fk_{table}_{columns.replace(', ', '_')}"
    on_delete = " ON DELETE CASCADE" if cascade else ""
    refers = f"FOREIGN KEY ({columns}) REFERENCES {target} ({keys}){on_delete}"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {refers}")


def _replace_foreign_keys(*, cascade: bool) -> None:
    """Replace every foreign key that leads to an account, a project or a page."""
    for table in _USERS:
        _replace_foreign_key(table, "user_id", "account", "id", cascade=cascade)
    for table, columns, target, keys in _DEPENDENT:
        _replace_foreign_key(table, columns, target, keys, cascade=cascade)


def _allow_states(*states: str) -> None:
    """Replace the check constraint on the states of a version."""
    allowed = ", ".join(f"'{state}'" for state in states)
    op.execute("ALTER TABLE model_version DROP CONSTRAINT ck_model_version_modelstate")
    op.execute(
        f"ALTER TABLE model_version ADD CONSTRAINT ck_model_version_modelstate CHECK (state IN ({allowed}))"
    )


def upgrade() -> None:
    """Make the foreign keys cascade; add the records and the queue, with row-level security."""
    for statement in _NEW.split(";"):
        op.execute(statement)
    _allow_states(*_STATES, "tainted")
    for table, columns in _INDEXES.items():
        for column in columns:
            op.execute(f"CREATE INDEX ix_{table}_{column} ON {table} ({column})")
    _replace_foreign_keys(cascade=True)
    for table in ("erasure", "object_removal"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})"
        )
    for table, grants in _GRANTS.items():
        op.execute(f"GRANT {grants} ON {table} TO ketav_service")


def downgrade() -> None:
    """Remove deletion again; tainted versions become retired, which do not serve either.

    Fails if a page has an object key: only the column has the name of its image.
    """
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute(_REFUSE)
    for table in ("account", "project", "page"):
        op.execute(f"REVOKE DELETE ON {table} FROM ketav_service")
    op.execute("REVOKE UPDATE (tainted) ON dataset FROM ketav_service")
    _replace_foreign_keys(cascade=False)
    for table, columns in _INDEXES.items():
        for column in columns:
            op.execute(f"DROP INDEX ix_{table}_{column}")
    op.execute("UPDATE model_version SET state = 'retired' WHERE state = 'tainted'")
    _allow_states(*_STATES)
    op.execute("ALTER TABLE dataset DROP COLUMN tainted")
    op.execute("ALTER TABLE page DROP COLUMN object_key")
    op.execute("DROP TABLE erasure, object_removal")
