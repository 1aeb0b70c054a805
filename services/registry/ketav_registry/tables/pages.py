"""Pages."""

import sqlalchemy as sa

from ketav_registry.domain.pages import Layout, PageState
from ketav_registry.tables.columns import choice, created, key, metadata, once_a_request, owned, request, user

page = sa.Table(
    "page",
    metadata,
    key(),
    user(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    # Where its image lies; older pages without one share an object named by the digest.
    sa.Column("object_key", sa.Text, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("layout", choice(Layout), nullable=False),
    sa.Column("state", choice(PageState), nullable=False),
    # How often it was read: the latest transcription has this number.
    sa.Column("readings", sa.Integer, nullable=False, server_default="0"),
    *request(),
    created(),
    owned("project", "project_id", goes_with=True),
    sa.UniqueConstraint("id", "user_id"),
    sa.UniqueConstraint("id", "project_id", "user_id"),
    sa.Index(None, "user_id"),
    sa.Index(None, "sha256"),
    sa.Index(None, "project_id", "created_at", "id"),
    once_a_request("page"),
)
