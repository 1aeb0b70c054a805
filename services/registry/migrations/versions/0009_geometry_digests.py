"""Rename the columns `place` to `geometry_sha256`, and two check constraints after their enumerations."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ("line", "correction", "dataset_line")
_INDEXES = (
    "ix_correction_page_id_{}_number",
    "ix_dataset_line_user_id_page_id_{}",
    "uq_line_id_page_id_{}_user_id",
)
_FOREIGN_KEY = "fk_correction_line_id_page_id_{}_user_id"
# Table, old and new name of a check constraint.
_CHECKS = (
    ("correction", "ck_correction_doubt", "ck_correction_quarantinecode"),
    ("erasure", "ck_erasure_erasedkind", "ck_erasure_erasurekind"),
)


def _rename(old: str, new: str) -> None:
    """Rename the columns, and the indexes and constraints that contain their name."""
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    for index in _INDEXES:
        op.execute(f"ALTER INDEX {index.format(old)} RENAME TO {index.format(new)}")
    foreign_keys = _FOREIGN_KEY.format(old), _FOREIGN_KEY.format(new)
    op.execute("ALTER TABLE correction RENAME CONSTRAINT {} TO {}".format(*foreign_keys))


def upgrade() -> None:
    """Rename the columns and the check constraints."""
    _rename("place", "geometry_sha256")
    for table, old, new in _CHECKS:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")


def downgrade() -> None:
    """Rename the columns and the check constraints back."""
    for table, old, new in _CHECKS:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}")
    _rename("geometry_sha256", "place")
