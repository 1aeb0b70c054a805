"""Projects."""

import sqlalchemy as sa

from ketav_registry.domain.models import Script
from ketav_registry.tables.columns import choice, created, key, metadata, user

project = sa.Table(
    "project",
    metadata,
    key(),
    user(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("script", choice(Script), nullable=False),
    created(),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id", "created_at", "id"),
)
