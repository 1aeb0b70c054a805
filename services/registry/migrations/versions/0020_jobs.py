"""Add jobs with their pages, and a delivery of the user's webhook in the transaction that ends a job."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_ACTIVE = "('queued', 'running')"
_UP = (
    """
    CREATE TABLE job (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        project_id UUID NOT NULL,
        state VARCHAR(32) NOT NULL,
        revision BIGINT DEFAULT '1' NOT NULL,
        page_count INTEGER NOT NULL,
        pages_read INTEGER DEFAULT '0' NOT NULL,
        pages_failed INTEGER DEFAULT '0' NOT NULL,
        cancel_requested BOOLEAN DEFAULT false NOT NULL,
        layout VARCHAR(32) NOT NULL,
        model_version TEXT DEFAULT '' NOT NULL,
        turn INTEGER DEFAULT '0' NOT NULL,
        detect_turn BOOLEAN DEFAULT false NOT NULL,
        document_key TEXT,
        document_sha256 BYTEA,
        document_bytes BIGINT,
        served_at TIMESTAMP WITH TIME ZONE,
        request_id TEXT,
        request_sha256 BYTEA,
        traceparent TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_job PRIMARY KEY (id),
        CONSTRAINT fk_job_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE,
        CONSTRAINT fk_job_project_id_user_id FOREIGN KEY (project_id, user_id)
            REFERENCES project (id, user_id) ON DELETE CASCADE,
        CONSTRAINT uq_job_id_user_id UNIQUE (id, user_id),
        CONSTRAINT uq_job_document_key UNIQUE (document_key),
        CONSTRAINT ck_job_jobstate CHECK (
            state IN ('queued', 'running', 'succeeded', 'partly_failed', 'failed', 'cancelled')
        ),
        CONSTRAINT ck_job_layout CHECK (layout IN ('page', 'line'))
    )
    """,
    "CREATE INDEX ix_job_user_id_created_at_id ON job (user_id, created_at, id)",
    "CREATE INDEX ix_job_user_id_served_at ON job (user_id, served_at)",
    "CREATE INDEX ix_job_project_id ON job (project_id)",
    f"CREATE INDEX ix_job_active ON job (created_at) WHERE state IN {_ACTIVE}",
    "CREATE UNIQUE INDEX uq_job_request ON job (user_id, request_id) WHERE request_id IS NOT NULL",
    """
    CREATE TABLE job_page (
        job_id UUID NOT NULL,
        position INTEGER NOT NULL,
        user_id UUID NOT NULL,
        page_id UUID,
        state VARCHAR(32) NOT NULL,
        fence BIGINT DEFAULT '0' NOT NULL,
        attempts INTEGER DEFAULT '0' NOT NULL,
        lease_until TIMESTAMP WITH TIME ZONE,
        due_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        worker TEXT,
        error_code TEXT DEFAULT '' NOT NULL,
        error_detail TEXT DEFAULT '' NOT NULL,
        CONSTRAINT pk_job_page PRIMARY KEY (job_id, position),
        CONSTRAINT fk_job_page_job_id_user_id FOREIGN KEY (job_id, user_id)
            REFERENCES job (id, user_id) ON DELETE CASCADE,
        CONSTRAINT ck_job_page_jobpagestate CHECK (
            state IN ('queued', 'running', 'read', 'failed', 'cancelled')
        )
    )
    """,
    f"CREATE INDEX ix_job_page_active ON job_page (job_id, state, position) WHERE state IN {_ACTIVE}",
    "ALTER TABLE webhook_delivery ADD COLUMN job_id UUID",
    """
    CREATE FUNCTION queue_job_delivery() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO webhook_delivery (id, user_id, job_id, event)
        SELECT gen_random_uuid(), webhook.user_id, NEW.id, 'job.completed'
        FROM webhook WHERE webhook.user_id = NEW.user_id AND webhook.disabled_reason = '';
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER job_ended AFTER UPDATE OF state ON job FOR EACH ROW
    WHEN (NEW.state NOT IN {_ACTIVE} AND OLD.state IN {_ACTIVE}) EXECUTE FUNCTION queue_job_delivery()
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON job TO ketav_service",
    "GRANT SELECT, INSERT, UPDATE ON job_page TO ketav_service",
)


def upgrade() -> None:
    """Add the tables, with row-level security, the column and the trigger."""
    for statement in _UP:
        op.execute(statement)
    for table in ("job", "job_page"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_rows ON {table} USING ({_OWN} OR {_SYSTEM}) WITH CHECK ({_OWN} OR {_SYSTEM})"
        )


def downgrade() -> None:
    """Drop the trigger, the column and the tables; the deliveries of jobs are lost."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute("DROP TRIGGER job_ended ON job")
    op.execute("DROP FUNCTION queue_job_delivery")
    op.execute("DELETE FROM webhook_delivery WHERE job_id IS NOT NULL")
    op.execute("ALTER TABLE webhook_delivery DROP COLUMN job_id")
    op.execute("DROP TABLE job_page, job")
