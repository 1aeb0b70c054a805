"""Add the members of projects: editors and viewers, whose rights stand in row-level security.

A transaction for a member has the owner of the project in app.user_id, the member in app.member_id and the
project in app.project_id. Restrictive policies compare rows with the membership itself, so these settings
grant nothing without a row of project_member. Older code sets no member, and its rows have none: they are the
owner's. The functions return one value for a statement; policies call them in a subquery, which PostgreSQL
computes once, and not at all for an owner.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_CALLER = "NULLIF(current_setting('app.user_id', true), '')::uuid"
_IS_OWNER = "NULLIF(current_setting('app.member_id', true), '') IS NULL"
_PROJECT = "(SELECT member_project())"
_PAGES = "ANY ((SELECT member_pages())::uuid[])"
_IS_EDITOR = "(SELECT member_role()) = 'editor'"
_TABLE = """
CREATE TABLE project_member (
    project_id UUID NOT NULL,
    member_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role VARCHAR(32) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_project_member PRIMARY KEY (project_id, member_id),
    CONSTRAINT fk_project_member_project_id_user_id FOREIGN KEY (project_id, user_id)
        REFERENCES project (id, user_id) ON DELETE CASCADE,
    CONSTRAINT fk_project_member_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE,
    CONSTRAINT fk_project_member_member_id FOREIGN KEY (member_id) REFERENCES account (id) ON DELETE CASCADE,
    CONSTRAINT ck_project_member_not_the_owner CHECK (member_id <> user_id),
    CONSTRAINT ck_project_member_memberrole CHECK (role IN ('viewer', 'editor'))
)
"""
_MEMBER = "NULLIF(current_setting('app.member_id', true), '')::uuid"
_SETTING = "NULLIF(current_setting('app.{}', true), '')::uuid"
_MEMBERSHIP = (
    f"project_id = {_SETTING.format('project_id')} AND member_id = {_SETTING.format('member_id')} "
    f"AND user_id = {_SETTING.format('user_id')}"
)
_KEYS = "current_setting('app.member_id', true) || '/' || current_setting('app.project_id', true) || '/'"
# Name, type and query of each function.
_FUNCTIONS = (
    ("member_project", "uuid", f"SELECT project_id FROM project_member WHERE {_MEMBERSHIP}"),  # noqa: S608 - constants of this module
    ("member_role", "text", f"SELECT role FROM project_member WHERE {_MEMBERSHIP}"),  # noqa: S608 - constants of this module
    ("member_pages", "uuid[]", "SELECT array_agg(id) FROM page WHERE project_id = member_project()"),
    ("member_jobs", "uuid[]", "SELECT array_agg(id) FROM job WHERE project_id = member_project()"),
    ("member_hand", "uuid", "SELECT hand_id FROM project WHERE id = member_project()"),
    ("member_script", "text", "SELECT script FROM project WHERE id = member_project()"),
    (
        "member_versions",
        "text[]",
        """
        SELECT array_agg(version) FROM (
            SELECT version FROM active_model UNION SELECT version FROM active_hand_model
            UNION SELECT model_version FROM transcription
        ) AS versions
        """,
    ),
    (
        "shared_projects",
        "uuid[]",
        f"SELECT array_agg(project_id) FROM project_member WHERE member_id = {_CALLER}",  # noqa: S608 - constants of this module
    ),
    (
        "shared_hands",
        "uuid[]",
        "SELECT array_agg(hand_id) FROM project WHERE id = ANY (shared_projects())",
    ),
    # Owners and members of visible projects, and members whose corrections are visible.
    (
        "known_accounts",
        "uuid[]",
        """
        SELECT array_agg(id) FROM (
            SELECT user_id AS id FROM project_member UNION SELECT member_id FROM project_member
            UNION SELECT member_id FROM feedback WHERE member_id IS NOT NULL
        ) AS accounts
        """,
    ),
)
# Rows that a transaction for a member sees, and whether an editor inserts and updates such rows.
_MEMBERS_SEE = {
    "project": (f"id = {_PROJECT}", False),
    "project_member": (_MEMBERSHIP, False),
    "page": (f"project_id = {_PROJECT}", True),
    "feedback": (f"project_id = {_PROJECT}", True),
    "correction": (f"project_id = {_PROJECT}", True),
    "job": (f"project_id = {_PROJECT}", True),
    "transcription": (f"page_id = {_PAGES}", True),
    "line": (f"page_id = {_PAGES}", True),
    "job_page": ("job_id = ANY ((SELECT member_jobs())::uuid[])", True),
    "hand": ("id = (SELECT member_hand())", False),
    "active_model": ("(SELECT member_hand()) IS NULL AND script = (SELECT member_script())", False),
    "active_hand_model": ("hand_id = (SELECT member_hand())", False),
    "model_version": ("user_id IS NULL OR version = ANY ((SELECT member_versions())::text[])", False),
    "account": (f"{_PROJECT} IS NOT NULL", False),
    # An editor queues the object of an image that was turned.
    "object_removal": (_IS_EDITOR, True),
    # The keys of a member begin with the member and the project.
    "done_request": (f"{_PROJECT} IS NOT NULL AND starts_with(request_id, {_KEYS})", True),
}
_MEMBERS_SEE_NOTHING = (
    *("api_key", "dataset", "dataset_line", "training_run", "training_policy"),
    *("webhook", "webhook_delivery", "erasure", "ended_session", "audit_entry"),
)
# Rows of other users that a user sees without entering a project: what lists need.
_SHARED = {
    "project": "id = ANY ((SELECT shared_projects())::uuid[])",
    "hand": "id = ANY ((SELECT shared_hands())::uuid[])",
    "job": "project_id = ANY ((SELECT shared_projects())::uuid[])",
    "project_member": f"member_id = {_CALLER}",
    "account": "id = ANY ((SELECT known_accounts())::uuid[])",
}
_WITH_MEMBER = ("feedback", "job")
"""Tables whose rows name the member who caused them."""
_TO_USER = """
CREATE OR REPLACE FUNCTION queue_job_delivery() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO webhook_delivery (id, user_id, job_id, event)
    SELECT gen_random_uuid(), webhook.user_id, NEW.id, 'job.completed'
    FROM webhook WHERE webhook.user_id = NEW.user_id AND webhook.disabled_reason = '';
    RETURN NULL;
END $$
"""
# A job is announced to the member who created it, while they are one: their webhook is a row of another user.
_TO_CREATOR = """
CREATE OR REPLACE FUNCTION queue_job_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    system text := coalesce(current_setting('app.system', true), '');
    member text := coalesce(current_setting('app.member_id', true), '');
BEGIN
    PERFORM set_config('app.system', 'on', true), set_config('app.member_id', '', true);
    INSERT INTO webhook_delivery (id, user_id, job_id, event)
    SELECT gen_random_uuid(), webhook.user_id, NEW.id, 'job.completed'
    FROM webhook WHERE webhook.user_id = coalesce(NEW.member_id, NEW.user_id) AND webhook.disabled_reason = ''
        AND (NEW.member_id IS NULL OR EXISTS (
            SELECT FROM project_member
            WHERE project_member.project_id = NEW.project_id AND project_member.member_id = NEW.member_id
        ));
    PERFORM set_config('app.system', system, true), set_config('app.member_id', member, true);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    """Add the table, the columns, the functions and the policies."""
    op.execute(_TABLE)
    for column in ("member_id", "user_id"):
        op.create_index(op.f(f"ix_project_member_{column}"), "project_member", [column])
    op.execute("ALTER TABLE project_member ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE project_member FORCE ROW LEVEL SECURITY")
    op.execute("GRANT SELECT, INSERT, UPDATE (role), DELETE ON project_member TO ketav_service")
    for table in _WITH_MEMBER:
        op.add_column(table, sa.Column("member_id", sa.Uuid))
    op.create_index(
        "ix_feedback_member", "feedback", ["member_id"], postgresql_where=sa.text("member_id IS NOT NULL")
    )
    op.execute("CREATE INDEX ix_job_creator_served_at ON job (coalesce(member_id, user_id), served_at)")
    for name, returned, query in _FUNCTIONS:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS {returned} LANGUAGE sql STABLE PARALLEL SAFE AS $$ {query} $$"
        )
    either = f"{_OWN} OR {_SYSTEM}"
    op.execute(f"CREATE POLICY own_rows ON project_member USING ({either}) WITH CHECK ({either})")
    for table, rows in _SHARED.items():
        op.execute(f"CREATE POLICY shared_rows ON {table} FOR SELECT USING ({rows})")
    for table, (rows, editable) in _MEMBERS_SEE.items():
        _restrict(table, rows, f"{_IS_EDITOR} AND {rows}" if editable else "false")
    for table in _MEMBERS_SEE_NOTHING:
        _restrict(table, "false", "false")
    for table in _WITH_MEMBER:
        named = f"member_id IS NOT DISTINCT FROM {_MEMBER}"
        op.execute(f"CREATE POLICY members_name ON {table} AS RESTRICTIVE FOR INSERT WITH CHECK ({named})")
    op.execute(_TO_CREATOR)


def _restrict(table: str, seen: str, written: str) -> None:
    """Restrict what a transaction for a member sees and writes; members delete nothing."""
    for command, rows in (("SELECT", seen), ("UPDATE", written), ("DELETE", "false")):
        op.execute(
            f"CREATE POLICY members_{command.lower()} ON {table} AS RESTRICTIVE FOR {command} "
            f"USING ({_IS_OWNER} OR ({rows}))"
        )
    op.execute(
        f"CREATE POLICY members_insert ON {table} AS RESTRICTIVE FOR INSERT "
        f"WITH CHECK ({_IS_OWNER} OR ({written}))"
    )


def downgrade() -> None:
    """Drop all of it: projects belong to their owners alone, and corrections of members to the owner."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute(_TO_USER)
    for table in _WITH_MEMBER:
        op.execute(f"DROP POLICY members_name ON {table}")
    for table in (*_MEMBERS_SEE, *_MEMBERS_SEE_NOTHING):
        for command in ("select", "insert", "update", "delete"):
            op.execute(f"DROP POLICY members_{command} ON {table}")
    for table in _SHARED:
        op.execute(f"DROP POLICY shared_rows ON {table}")
    for name, _, _ in reversed(_FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_index("ix_job_creator_served_at", "job")
    op.drop_index("ix_feedback_member", "feedback")
    for table in _WITH_MEMBER:
        op.drop_column(table, "member_id")
    op.execute("DROP TABLE project_member")
