"""What the tables have in common.

Every table of a user's things has a `user_id`, a row-level security policy on it (migrations) and composite
foreign keys that carry it, so that no row can name another user's row.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def choice(kind: type[StrEnum]) -> sa.Enum:
    """Store an enumeration as its words, checked by the database."""
    return sa.Enum(
        kind,
        name=kind.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def key() -> sa.Column[UUID]:
    """Key of a row: a random UUID made by the service."""
    return sa.Column("id", sa.Uuid, primary_key=True)


def created() -> sa.Column[datetime]:
    """When the row was stored, by the database clock."""
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    )


def user(*, nullable: bool = False) -> sa.Column[UUID]:
    """Whose row it is; it goes with the account."""
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=nullable)


def request() -> tuple[sa.Column[str], sa.Column[bytes]]:
    """Keep the Idempotency-Key a row was made under, and the digest of what was sent."""
    return sa.Column("request_id", sa.Text), sa.Column("request_sha256", sa.LargeBinary)


def owned(table: str, *columns: str, goes_with: bool = False) -> sa.ForeignKeyConstraint:
    """Refer to another row of the same user by that row's key and others; it may go with that row."""
    names = [*columns, "user_id"]
    targets = [f"{table}.{'id' if name == f'{table}_id' else name}" for name in names]
    return sa.ForeignKeyConstraint(names, targets, ondelete="CASCADE" if goes_with else None)


def once_a_request(table: str) -> sa.Index:
    """Allow one row a request of a user."""
    return sa.Index(
        f"uq_{table}_request",
        "user_id",
        "request_id",
        unique=True,
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )
