"""Pages."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.pages import Layout, PageState
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

page = sa.Table(
    "page",
    metadata,
    primary_key(),
    owner(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    # Key of the image. NULL in rows older than migration 0005, whose objects are named by their digest.
    sa.Column("object_key", sa.Text, unique=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    # Codes of what the gateway changed, and of what is wrong with an image that was read in part.
    sa.Column("normalised", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("warnings", pg.ARRAY(sa.Text), nullable=False, server_default="{}"),
    # Whether the user has given the rotation: no reading turns the image.
    sa.Column("fixed_rotation", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("layout", enumeration(Layout), nullable=False),
    sa.Column("state", enumeration(PageState), nullable=False),
    # Number of transcriptions, and the number of the latest one.
    sa.Column("readings", sa.Integer, nullable=False, server_default="0"),
    request_id(),
    request_sha256(),
    created_at(),
    foreign_key("project", "project_id", cascade=True),
    sa.UniqueConstraint("id", "user_id"),
    sa.UniqueConstraint("id", "project_id", "user_id"),
    sa.Index(None, "user_id"),
    sa.Index(None, "sha256"),
    sa.Index(None, "project_id", "created_at", "id"),
    unique_request("page"),
)
