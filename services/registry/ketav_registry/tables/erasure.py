"""Records of deletions. They outlive the account, so they do not refer to it."""

import sqlalchemy as sa

from ketav_registry.domain.erasure import ErasureKind
from ketav_registry.tables.columns import created_at, enumeration, metadata, primary_key

erasure = sa.Table(
    "erasure",
    metadata,
    primary_key(),
    # A random number, which identifies no person after the account is deleted.
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("kind", enumeration(ErasureKind), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("corrections", sa.Integer, nullable=False),
    sa.Column("tainted_versions", sa.Integer, nullable=False),
    created_at(),
    sa.Index(None, "user_id"),
)
