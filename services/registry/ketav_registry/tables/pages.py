"""Users, their projects and pages, what was read on them and what was corrected."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.models import Script
from ketav_registry.domain.pages import Layout, Origin, PageState
from ketav_registry.domain.quarantine import Doubt
from ketav_registry.tables.columns import choice, created, key, metadata, once_a_request, owned, request, user

account = sa.Table("account", metadata, key(), sa.Column("name", sa.Text, nullable=False), created())

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    user(),
    sa.Column("prefix", sa.Text, nullable=False),
    created(),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
    sa.Index(None, "user_id"),
)

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

transcription = sa.Table(
    "transcription",
    metadata,
    key(),
    user(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # NULL: the lines were imported, no model has read them.
    sa.Column("model_version", sa.Text, sa.ForeignKey("model_version.version")),
    created(),
    owned("page", "page_id", goes_with=True),
    sa.UniqueConstraint("id", "page_id", "user_id"),
    sa.UniqueConstraint("page_id", "number"),
    sa.Index(None, "user_id"),
    sa.Index(None, "model_version"),
)

line = sa.Table(
    "line",
    metadata,
    key(),
    user(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("transcription_id", sa.Uuid, nullable=False),
    sa.Column("order", sa.Integer, nullable=False),
    # Digest of the geometry: the same line in a later reading of the page.
    sa.Column("place", sa.LargeBinary, nullable=False),
    sa.Column("baseline", pg.JSONB, nullable=False),
    sa.Column("boundary", pg.JSONB, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("confidence", sa.REAL, nullable=False),
    sa.Column("character_confidences", pg.ARRAY(sa.REAL), nullable=False),
    sa.Column("words", pg.JSONB, nullable=False),
    owned("transcription", "transcription_id", "page_id", goes_with=True),
    sa.UniqueConstraint("id", "page_id", "place", "user_id"),
    sa.UniqueConstraint("transcription_id", "order"),
    sa.Index(None, "user_id"),
)

feedback = sa.Table(
    "feedback",
    metadata,
    key(),
    user(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("accepted_lines", sa.Integer, nullable=False),
    sa.Column("unaligned", pg.JSONB, nullable=False),
    sa.Column("ground_truth_lines", sa.Integer, nullable=False),
    *request(),
    created(),
    owned("page", "page_id", "project_id", goes_with=True),
    sa.UniqueConstraint("id", "page_id", "user_id"),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "page_id"),
    once_a_request("feedback"),
)

correction = sa.Table(
    "correction",
    metadata,
    key(),
    # Order of arrival: of the corrections of one place the greatest number is the latest.
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    user(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("feedback_id", sa.Uuid, nullable=False),
    sa.Column("line_id", sa.Uuid, nullable=False),
    sa.Column("place", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("supersedes", sa.Uuid, sa.ForeignKey("correction.id", ondelete="CASCADE"), unique=True),
    # Why it is not trained on, as a code and as a sentence; NULL: nothing speaks against it.
    sa.Column("quarantine", choice(Doubt)),
    sa.Column("quarantine_reason", sa.Text),
    # Whether the user vouched for it.
    sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("origin", choice(Origin), nullable=False, server_default=Origin.USER),
    created(),
    owned("page", "page_id", "project_id", goes_with=True),
    owned("feedback", "feedback_id", "page_id", goes_with=True),
    owned("line", "line_id", "page_id", "place", goes_with=True),
    sa.UniqueConstraint("id", "line_id", "page_id", "user_id"),
    sa.Index(None, "page_id", "place", "number"),
    sa.Index(None, "user_id"),
    sa.Index(None, "feedback_id"),
    sa.Index(None, "line_id"),
)
