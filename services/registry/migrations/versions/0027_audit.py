"""Add the audit log, which triggers write: who did what when. Rows cannot be changed."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_UP = (
    """
    CREATE TABLE audit_entry (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_audit_entry PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_audit_entry_user_id_created_at_id ON audit_entry (user_id, created_at, id)",
    # The actor is that of the transaction; statements outside the services have none.
    """
    CREATE FUNCTION audit(user_id UUID, action TEXT, subject TEXT) RETURNS void LANGUAGE sql AS $$
        INSERT INTO audit_entry (id, user_id, actor, action, subject) VALUES (
            gen_random_uuid(), user_id, coalesce(NULLIF(current_setting('app.actor', true), ''), 'database'),
            action, subject
        )
    $$
    """,
    """
    CREATE FUNCTION audit_account() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM audit(NEW.id, 'account.created', '');
        ELSIF (OLD.disabled_at IS NULL) <> (NEW.disabled_at IS NULL) THEN
            PERFORM audit(
                NEW.id, 'account.' || CASE WHEN NEW.disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END, ''
            );
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION audit_api_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM audit(NEW.user_id, 'key.created', NEW.prefix);
        ELSIF OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
            PERFORM audit(NEW.user_id, 'key.revoked', NEW.prefix);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION audit_active_model() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' OR OLD.version IS DISTINCT FROM NEW.version THEN
            PERFORM audit(NEW.user_id, 'model.activated', coalesce(NEW.version, 'base'));
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION audit_webhook() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT FROM account WHERE id = OLD.user_id) THEN
                PERFORM audit(OLD.user_id, 'webhook.deleted', '');
            END IF;
        ELSIF TG_OP = 'INSERT' OR OLD.url <> NEW.url OR OLD.secret <> NEW.secret THEN
            PERFORM audit(NEW.user_id, 'webhook.set', '');
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION audit_erasure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM audit(NEW.user_id, NEW.kind || '.deleted', '');
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER audited AFTER INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION audit_account()",
    "CREATE TRIGGER audited AFTER INSERT OR UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION audit_api_key()",
    """
    CREATE TRIGGER audited AFTER INSERT OR UPDATE ON active_model
    FOR EACH ROW EXECUTE FUNCTION audit_active_model()
    """,
    """
    CREATE TRIGGER audited AFTER INSERT OR UPDATE ON active_hand_model
    FOR EACH ROW EXECUTE FUNCTION audit_active_model()
    """,
    """
    CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON webhook
    FOR EACH ROW EXECUTE FUNCTION audit_webhook()
    """,
    "CREATE TRIGGER audited AFTER INSERT ON erasure FOR EACH ROW EXECUTE FUNCTION audit_erasure()",
    # Row-level security applies to the owner, too, so this deletes in a transaction that sees all rows.
    # The services can delete no other entries, and change none.
    """
    CREATE FUNCTION remove_old_audit() RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
        WITH removed AS (
            DELETE FROM audit_entry WHERE created_at < clock_timestamp() - interval '90 days'
            AND NOT EXISTS (SELECT FROM account WHERE account.id = audit_entry.user_id)
            RETURNING 1
        ) SELECT count(*) FROM removed
    $$
    """,
    "REVOKE ALL ON FUNCTION remove_old_audit() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION remove_old_audit() TO ketav_service",
    "GRANT SELECT, INSERT ON audit_entry TO ketav_service",
    "ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE audit_entry FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY own_rows ON audit_entry USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})",
)
_TABLES = ("account", "api_key", "active_model", "active_hand_model", "webhook", "erasure")


def upgrade() -> None:
    """Add the table, which the services can read and extend, and the triggers of what is audited."""
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers, the functions and the table; the log is lost."""
    for table in _TABLES:
        op.execute(f"DROP TRIGGER audited ON {table}")
    for name in ("account", "api_key", "active_model", "webhook", "erasure"):
        op.execute(f"DROP FUNCTION audit_{name}()")
    op.execute("DROP FUNCTION remove_old_audit()")
    op.execute("DROP FUNCTION audit(UUID, TEXT, TEXT)")
    op.execute("DROP TABLE audit_entry")
