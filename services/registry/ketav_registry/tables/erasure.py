"""What was deleted: a record of each deletion, and the objects that are still to go.

Both outlive the account, so neither refers to it.
"""

import sqlalchemy as sa

from ketav_registry.domain.erasure import ErasedKind
from ketav_registry.tables.columns import choice, created, key, metadata

erasure = sa.Table(
    "erasure",
    metadata,
    key(),
    # A random number; once the account is gone it leads to nobody.
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("kind", choice(ErasedKind), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("corrections", sa.Integer, nullable=False),
    sa.Column("tainted_versions", sa.Integer, nullable=False),
    created(),
    sa.Index(None, "user_id"),
)
