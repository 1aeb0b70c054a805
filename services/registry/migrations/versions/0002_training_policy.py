"""Add the users' policies of automatic training, and the times of a run's epochs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"


def upgrade() -> None:
    """Add the table, with row-level security, and the columns."""
    op.create_table(
        "training_policy",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id", name="fk_training_policy_user_id")),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("minimum_gap", sa.Interval, nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_training_policy"),
    )
    op.execute("ALTER TABLE training_policy ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE training_policy FORCE ROW LEVEL SECURITY")
    either = f"{_OWN} OR {_SYSTEM}"
    op.execute(f"CREATE POLICY own_rows ON training_policy USING ({either}) WITH CHECK ({either})")
    op.execute("GRANT SELECT, INSERT, UPDATE ON training_policy TO ketav_service")
    op.add_column("training_run", sa.Column("first_epoch", sa.Integer))
    op.add_column("training_run", sa.Column("first_epoch_at", sa.DateTime(timezone=True)))
    op.add_column("training_run", sa.Column("epoch_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop the columns and the table."""
    op.drop_column("training_run", "epoch_at")
    op.drop_column("training_run", "first_epoch_at")
    op.drop_column("training_run", "first_epoch")
    op.drop_table("training_policy")
