"""The training run state "leased" becomes "running", the name that users see."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ENDED = "'succeeded', 'rejected', 'failed', 'cancelled'"


def _rename(old: str, new: str) -> None:
    """Replace one state by another in the rows, the check constraint and the partial indexes."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    op.execute("ALTER TABLE training_run DROP CONSTRAINT ck_training_run_runstate")
    op.execute("DROP INDEX uq_training_run_active")
    op.execute("DROP INDEX ix_training_run_state")
    op.execute(f"UPDATE training_run SET state = '{new}' WHERE state = '{old}'")  # noqa: S608 - constants
    active = f"state IN ('queued', '{new}', 'evaluating')"
    op.execute(
        "ALTER TABLE training_run ADD CONSTRAINT ck_training_run_runstate "
        f"CHECK (state IN ('queued', '{new}', 'evaluating', {_ENDED}))"
    )
    op.execute(f"CREATE UNIQUE INDEX uq_training_run_active ON training_run (user_id) WHERE {active}")
    op.execute(f"CREATE INDEX ix_training_run_state ON training_run (state, lease_until) WHERE {active}")


def upgrade() -> None:
    """Rename the state "leased" to "running"."""
    _rename("leased", "running")


def downgrade() -> None:
    """Rename the state "running" to "leased"."""
    _rename("running", "leased")
