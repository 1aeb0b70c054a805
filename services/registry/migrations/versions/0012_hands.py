"""Add hands: the handwriting of a person other than the user, with models of its own.

A NULL hand is the user's own hand: older code writes and reads no other. Two triggers keep the rows of
older code right: a version gets the hand of its run, and the base that it descends from; the version of a
hand never becomes the active one of the user's own hand.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OWN = "user_id = NULLIF(current_setting('app.user_id', true), '')::uuid"
_SYSTEM = "current_setting('app.system', true) = 'on'"
_SCRIPTS = "('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi')"
# Tables whose rows belong to a hand, and whether the foreign key has the script too.
_TABLES = {"project": True, "dataset": False, "training_run": False, "model_version": False}
_NEW = (
    f"""
    CREATE TABLE hand (
        id UUID NOT NULL,
        user_id UUID NOT NULL,
        name TEXT NOT NULL,
        script VARCHAR(32) NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_hand PRIMARY KEY (id),
        CONSTRAINT fk_hand_user_id FOREIGN KEY (user_id) REFERENCES account (id) ON DELETE CASCADE,
        CONSTRAINT uq_hand_id_user_id UNIQUE (id, user_id),
        CONSTRAINT uq_hand_id_script_user_id UNIQUE (id, script, user_id),
        CONSTRAINT uq_hand_user_id_name UNIQUE (user_id, name),
        CONSTRAINT ck_hand_script CHECK (script IN {_SCRIPTS})
    )
    """,
    """
    CREATE TABLE active_hand_model (
        hand_id UUID NOT NULL,
        user_id UUID NOT NULL,
        version TEXT,
        generation BIGINT NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        CONSTRAINT pk_active_hand_model PRIMARY KEY (hand_id),
        CONSTRAINT fk_active_hand_model_hand_id_user_id FOREIGN KEY (hand_id, user_id)
            REFERENCES hand (id, user_id),
        CONSTRAINT fk_active_hand_model_user_id FOREIGN KEY (user_id) REFERENCES account (id)
            ON DELETE CASCADE,
        CONSTRAINT fk_active_hand_model_version FOREIGN KEY (version) REFERENCES model_version (version)
    )
    """,
    "CREATE INDEX ix_active_hand_model_user_id ON active_hand_model (user_id)",
)
_BASES = """
WITH RECURSIVE descent AS (
    SELECT version, version AS base FROM model_version WHERE user_id IS NULL
    UNION ALL
    SELECT child.version, descent.base FROM model_version child
    JOIN descent ON child.parent_version = descent.version WHERE child.user_id IS NOT NULL
)
UPDATE model_version SET base_version = descent.base FROM descent
WHERE descent.version = model_version.version AND model_version.user_id IS NOT NULL
"""
_TRIGGERS = (
    """
    CREATE FUNCTION complete_model_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.hand_id IS NULL THEN
            SELECT training_run.hand_id INTO NEW.hand_id FROM training_run WHERE training_run.id = NEW.run_id;
        END IF;
        IF NEW.base_version IS NULL AND NEW.user_id IS NOT NULL THEN
            SELECT coalesce(parent.base_version, parent.version) INTO NEW.base_version
            FROM model_version parent WHERE parent.version = NEW.parent_version;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER complete_version BEFORE INSERT ON model_version FOR EACH ROW
    EXECUTE FUNCTION complete_model_version()
    """,
    """
    CREATE FUNCTION skip_version_of_hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM model_version WHERE version = NEW.version AND hand_id IS NOT NULL) THEN
            RETURN NULL;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER own_hand BEFORE INSERT OR UPDATE ON active_model FOR EACH ROW
    EXECUTE FUNCTION skip_version_of_hand()
    """,
)
_GRANTS = {
    "hand": "SELECT, INSERT, UPDATE (name)",
    "active_hand_model": "SELECT, INSERT, UPDATE",
    "project": "UPDATE (hand_id)",
}


def upgrade() -> None:
    """Add the tables, with row-level security, the columns and the triggers."""
    op.execute("SELECT set_config('app.system', 'on', true)")
    for statement in _NEW:
        op.execute(statement)
    for table, has_script in _TABLES.items():
        columns = ["hand_id", *(["script"] if has_script else []), "user_id"]
        op.add_column(table, sa.Column("hand_id", sa.Uuid))
        name = f"fk_{table}_{'_'.join(columns)}"
        op.create_foreign_key(op.f(name), table, "hand", columns, ["id", *columns[1:]])
        op.create_index(op.f(f"ix_{table}_hand_id"), table, ["hand_id"])
    for column in ("serving_version", "new_base"):
        op.add_column("training_run", sa.Column(column, sa.Text))
    op.add_column("model_version", sa.Column("base_version", sa.Text))
    op.create_foreign_key(
        op.f("fk_model_version_base_version"), "model_version", "model_version", ["base_version"], ["version"]
    )
    op.execute(_BASES)
    for statement in _TRIGGERS:
        op.execute(statement)
    either = f"{_OWN} OR {_SYSTEM}"
    for table in ("hand", "active_hand_model"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({either}) WITH CHECK ({either})")
    for table, grants in _GRANTS.items():
        op.execute(f"GRANT {grants} ON {table} TO ketav_service")


def downgrade() -> None:
    """Drop columns and tables: rows of hands become rows of the user's own hand."""
    for trigger, table in (("own_hand", "active_model"), ("complete_version", "model_version")):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute("DROP FUNCTION skip_version_of_hand, complete_model_version")
    op.execute("REVOKE UPDATE (hand_id) ON project FROM ketav_service")
    op.drop_column("model_version", "base_version")
    for column in ("new_base", "serving_version"):
        op.drop_column("training_run", column)
    for table in reversed(_TABLES):
        op.drop_column(table, "hand_id")
    op.execute("DROP TABLE active_hand_model, hand")
