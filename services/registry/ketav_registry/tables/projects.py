"""Projects."""

import sqlalchemy as sa

from ketav_registry.domain.models import Script
from ketav_registry.tables.columns import created_at, enumeration, metadata, owner, primary_key

project = sa.Table(
    "project",
    metadata,
    primary_key(),
    owner(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("script", enumeration(Script), nullable=False),
    created_at(),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id", "created_at", "id"),
)
