"""Columns and constraints that several tables have.

Every table with rows of a user has a `user_id`, a row-level security policy on it (see the migrations), and
composite foreign keys that contain it, so that no row can refer to a row of another user.
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


def enumeration(members: type[StrEnum]) -> sa.Enum:
    """Return a text type with a check constraint that allows the values of an enumeration."""
    return sa.Enum(
        members,
        name=members.__name__.lower(),
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda enum: [member.value for member in enum],
    )


def primary_key() -> sa.Column[UUID]:
    """Return the column `id`, a random UUID that the service generates."""
    return sa.Column("id", sa.Uuid, primary_key=True)


def created_at() -> sa.Column[datetime]:
    """Return the column `created_at`, by the database clock."""
    return timestamp("created_at")


def timestamp(name: str) -> sa.Column[datetime]:
    """Return a column whose default is the time of the database clock."""
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    )


def owner(*, nullable: bool = False) -> sa.Column[UUID]:
    """Return the column `user_id`, the owner of the row; the row is deleted with the account."""
    return sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=nullable)


def member() -> sa.Column[UUID]:
    """Return the column `member_id`: the member who caused the row, NULL for the owner.

    Row-level security compares it with the member of the transaction.
    """
    return sa.Column("member_id", sa.Uuid)


def request_id() -> sa.Column[str]:
    """Return the column for the Idempotency-Key of the request that created the row."""
    return sa.Column("request_id", sa.Text)


def request_sha256() -> sa.Column[bytes]:
    """Return the column for the SHA-256 of the request that created the row."""
    return sa.Column("request_sha256", sa.LargeBinary)


def traceparent() -> sa.Column[str]:
    """Return the column for the trace of the request that created the row (W3C Trace Context)."""
    return sa.Column("traceparent", sa.Text)


def foreign_key(table: str, *columns: str, cascade: bool = False) -> sa.ForeignKeyConstraint:
    """Return a reference to a row of the same user by that row's id and other columns.

    With `cascade`, the row is deleted with the one it refers to.
    """
    names = [*columns, "user_id"]
    targets = [f"{table}.{'id' if name == f'{table}_id' else name}" for name in names]
    return sa.ForeignKeyConstraint(names, targets, ondelete="CASCADE" if cascade else None)


def unique_request(table: str) -> sa.Index:
    """Return an index that allows one row for each Idempotency-Key of a user."""
    return sa.Index(
        f"uq_{table}_request",
        "user_id",
        "request_id",
        unique=True,
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )
