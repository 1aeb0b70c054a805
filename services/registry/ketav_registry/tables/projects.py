"""Projects, and the hands that wrote their pages."""

import sqlalchemy as sa

from ketav_registry.domain.models import Script
from ketav_registry.tables.columns import (
    created_at,
    enumeration,
    foreign_key,
    metadata,
    owner,
    primary_key,
    request_id,
    request_sha256,
    unique_request,
)

hand = sa.Table(
    "hand",
    metadata,
    primary_key(),
    owner(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("script", enumeration(Script), nullable=False),
    created_at(),
    sa.UniqueConstraint("id", "user_id"),
    sa.UniqueConstraint("id", "script", "user_id"),
    sa.UniqueConstraint("user_id", "name"),
)

project = sa.Table(
    "project",
    metadata,
    primary_key(),
    owner(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("script", enumeration(Script), nullable=False),
    # NULL: the user's own hand, in this table and in all others that have the column.
    sa.Column("hand_id", sa.Uuid),
    # When the project got its hand, if it was created with another one.
    sa.Column("hand_changed_at", sa.DateTime(timezone=True)),
    # Incremented when the owner revokes the links to the project.
    sa.Column("link_number", sa.Integer, nullable=False, server_default="0"),
    request_id(),
    request_sha256(),
    created_at(),
    foreign_key("hand", "hand_id", "script"),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id", "created_at", "id"),
    sa.Index(None, "hand_id"),
    unique_request("project"),
)
