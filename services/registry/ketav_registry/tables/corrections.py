"""Corrections."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.corrections import Origin
from ketav_registry.domain.corrections_quarantine import Doubt
from ketav_registry.tables.columns import choice, created, key, metadata, once_a_request, owned, request, user

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
