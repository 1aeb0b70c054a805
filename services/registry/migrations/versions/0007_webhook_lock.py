"""Lock the webhook when a run ends; index old deliveries; allow the base as an active model."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _queue(lock: str) -> None:
    """Replace the trigger's function by one with or without a lock on the webhook."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION queue_webhook_delivery() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO webhook_delivery (id, user_id, run_id, event)
            SELECT gen_random_uuid(), webhook.user_id, NEW.id, 'training.' || NEW.state
            FROM webhook WHERE webhook.user_id = NEW.user_id AND webhook.disabled_reason = ''{lock};
            RETURN NULL;
        END $$
        """  # noqa: S608 - the lock is a constant
    )


def upgrade() -> None:
    """Lock the webhook: the end of a run waits for a concurrent deletion, and then inserts no delivery."""
    _queue(" FOR SHARE")
    ended = "WHERE state <> 'waiting'"
    op.execute(f"CREATE INDEX ix_webhook_delivery_created_at ON webhook_delivery (created_at) {ended}")
    op.execute("ALTER TABLE active_model ALTER COLUMN version DROP NOT NULL")


def downgrade() -> None:
    """Undo the changes; rows with the base are deleted, and without a row the base serves, too."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute("DELETE FROM active_model WHERE version IS NULL")
    op.execute("ALTER TABLE active_model ALTER COLUMN version SET NOT NULL")
    op.execute("DROP INDEX ix_webhook_delivery_created_at")
    _queue("")
