"""Add the login `ketav_user` for the work of users: row-level security without the switch of the services.

`ketav_service` keeps the switch `app.system` for sweeps and for calls that are not made for one user, and so
does the owner of the tables; older code, which does everything as `ketav_service`, continues. The policies
`own_rows` of all tables lose the switch, and `system_rows` has it for these two roles alone.
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_TABLES = (
    *("account", "active_hand_model", "active_model", "api_key", "audit_entry", "correction", "dataset"),
    *("dataset_line", "done_request", "ended_session", "erasure", "feedback", "hand", "job", "job_export"),
    *(
        "job_page",
        "line",
        "model_version",
        "object_removal",
        "page",
        "project",
        "project_member",
        "training_policy",
    ),
    *("training_run", "transcription", "webhook", "webhook_delivery"),
)
# Rows that a user sees and writes where they are not those of `_OWN`.
_SEEN = {"account": _OWN.replace("user_id =", "id ="), "model_version": f"user_id IS NULL OR {_OWN}"}
_WRITTEN = {"account": "false"}
_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ketav_user') THEN
        CREATE ROLE ketav_user LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN RAISE EXCEPTION 'The owner of the database may not create roles. Run '
        'CREATE ROLE ketav_user LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE as a superuser, and '
        'then `ketav migrate` again.';
END $$
"""
_COPY_PRIVILEGES = """
DO $$ DECLARE granted record; BEGIN
    FOR granted IN
        SELECT relation.oid::regclass AS name, acl.privilege_type AS privilege
        FROM pg_class AS relation, aclexplode(relation.relacl) AS acl
        WHERE acl.grantee = 'ketav_service'::regrole AND relation.relkind = 'r'
            AND relation.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT attribute.attrelid::regclass, format('%s (%I)', acl.privilege_type, attribute.attname)
        FROM pg_attribute AS attribute JOIN pg_class AS relation ON relation.oid = attribute.attrelid,
            aclexplode(attribute.attacl) AS acl
        WHERE acl.grantee = 'ketav_service'::regrole AND relation.relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('GRANT %s ON %s TO ketav_user', granted.privilege, granted.name);
    END LOOP;
END $$
"""
_ADD_SYSTEM_ROWS = """
DO $$ DECLARE owner name; BEGIN
    SELECT tableowner INTO STRICT owner FROM pg_tables WHERE schemaname = 'public' AND tablename = '{table}';
    EXECUTE format($policy$
        CREATE POLICY system_rows ON {table} TO ketav_service, %I USING ({system}) WITH CHECK ({system})
    $policy$, owner);
END $$
"""
# Temporary tables come last, so that a role cannot put one in the place of a table of the schema.
_PATH = "SET search_path = pg_catalog, public, pg_temp"
_UP = (
    "GRANT USAGE ON SCHEMA public TO ketav_user",
    _COPY_PRIVILEGES,
    # A job ends in a transaction of its owner, and the webhook of the member who created it is not a row of
    # theirs: the trigger runs as the owner of the tables. No other trigger can call the function.
    f"ALTER FUNCTION queue_job_delivery() SECURITY DEFINER {_PATH}",
    "REVOKE ALL ON FUNCTION queue_job_delivery() FROM PUBLIC",
    f"ALTER FUNCTION remove_old_audit() {_PATH}",
)
_DOWN = (
    "ALTER FUNCTION queue_job_delivery() SECURITY INVOKER RESET ALL",
    "GRANT EXECUTE ON FUNCTION queue_job_delivery() TO PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ketav_user",
    "REVOKE ALL ON SCHEMA public FROM ketav_user",
)


def upgrade() -> None:
    """Create the role with the privileges of `ketav_service`, and divide the policies."""
    op.execute(_ROLE)
    for statement in _UP:
        op.execute(statement)
    for table in _TABLES:
        _set_own_rows(table)
        op.execute(_ADD_SYSTEM_ROWS.format(table=table, system=_SYSTEM))


def _set_own_rows(table: str, switch: str = "") -> None:
    """Set the policy on the rows of a user; `switch` is added to it."""
    seen, written = _SEEN.get(table, _OWN), _WRITTEN.get(table, _OWN)
    op.execute(f"ALTER POLICY own_rows ON {table} USING ({seen}{switch}) WITH CHECK ({written}{switch})")


def downgrade() -> None:
    """Put the switch back. The role stays, because other databases of the server may use it."""
    for table in _TABLES:
        op.execute(f"DROP POLICY system_rows ON {table}")
        _set_own_rows(table, f" OR {_SYSTEM}")
    for statement in _DOWN:
        op.execute(statement)
