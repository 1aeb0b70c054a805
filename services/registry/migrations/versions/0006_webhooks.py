"""Add webhooks, and an outbox to which a trigger adds a delivery in the transaction that ends a run."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_ENDED = "('succeeded', 'rejected', 'failed', 'cancelled')"
_UP = (
    """
    CREATE TABLE webhook (
        user_id UUID NOT NULL,
        url TEXT NOT NULL,
        secret TEXT NOT NULL,
        disabled_reason TEXT DEFAULT '' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_webhook PRIMARY KEY (user_id),
        CONSTRAINT fk_webhook_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE webhook_delivery (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        run_id UUID,
        event TEXT NOT NULL,
        state VARCHAR(32) DEFAULT 'waiting' NOT NULL,
        attempts INTEGER DEFAULT '0' NOT NULL,
        error TEXT DEFAULT '' NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_webhook_delivery PRIMARY KEY (id),
        CONSTRAINT fk_webhook_delivery_user_id FOREIGN KEY (user_id) REFERENCES webhook (user_id)
            ON DELETE CASCADE,
        CONSTRAINT ck_webhook_delivery_deliverystate CHECK (state IN ('waiting', 'delivered', 'failed'))
    )
    """,
    "CREATE INDEX ix_webhook_delivery_due_at ON webhook_delivery (due_at) WHERE state = 'waiting'",
    "CREATE INDEX ix_webhook_delivery_user_id_created_at ON webhook_delivery (user_id, created_at)",
    """
    CREATE FUNCTION queue_webhook_delivery() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO webhook_delivery (id, user_id, run_id, event)
        SELECT gen_random_uuid(), webhook.user_id, NEW.id, 'training.' || NEW.state
        FROM webhook WHERE webhook.user_id = NEW.user_id AND webhook.disabled_reason = '';
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER run_ended AFTER UPDATE OF state ON training_run FOR EACH ROW
    WHEN (NEW.state IN {_ENDED} AND OLD.state NOT IN {_ENDED}) EXECUTE FUNCTION queue_webhook_delivery()
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON webhook, webhook_delivery TO ketav_service",
)


def upgrade() -> None:
    """Add the tables, with row-level security, and the trigger."""
    for statement in _UP:
        op.execute(statement)
    for table in ("webhook", "webhook_delivery"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})"
        )


def downgrade() -> None:
    """Drop the trigger and the tables."""
    op.execute("DROP TRIGGER run_ended ON training_run")
    op.execute("DROP FUNCTION queue_webhook_delivery")
    op.execute("DROP TABLE webhook_delivery, webhook")
