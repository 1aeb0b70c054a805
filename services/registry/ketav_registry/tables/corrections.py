"""Corrections and the requests that submitted them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.corrections import Origin
from ketav_registry.domain.corrections_quarantine import QuarantineCode
from ketav_registry.tables.columns import (
    created_at,
    enumeration,
    foreign_key,
    member,
    metadata,
    owner,
    primary_key,
    request_id,
    request_sha256,
    traceparent,
    unique_request,
)

# A set of corrections of one request, with the response to it.
feedback = sa.Table(
    "feedback",
    metadata,
    primary_key(),
    owner(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("accepted_lines", sa.Integer, nullable=False),
    # The member of the project who submitted them; NULL: the owner. It stays when the member is deleted.
    member(),
    # Arrays of [text, line id or "", reason].
    sa.Column("unaligned", pg.JSONB, nullable=False),
    # Arrays of [line id or "", number in the text of the page or 0, code, detail].
    sa.Column("refused", pg.JSONB, nullable=False, server_default="[]"),
    # Arrays of [line id, reason].
    sa.Column("untrained", pg.JSONB, nullable=False, server_default="[]"),
    # Verified lines of the user after this request.
    sa.Column("ground_truth_lines", sa.Integer, nullable=False),
    request_id(),
    request_sha256(),
    traceparent(),
    created_at(),
    foreign_key("page", "page_id", "project_id", cascade=True),
    sa.UniqueConstraint("id", "page_id", "user_id"),
    sa.Index(None, "user_id", "created_at"),
    sa.Index(None, "page_id"),
    sa.Index("ix_feedback_member", "member_id", postgresql_where=sa.text("member_id IS NOT NULL")),
    unique_request("feedback"),
)

# Append-only: the service's role may neither change nor delete a single correction.
correction = sa.Table(
    "correction",
    metadata,
    primary_key(),
    # Order of arrival: the latest correction of a line has the highest number.
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    owner(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("feedback_id", sa.Uuid, nullable=False),
    # The feedback whose author wrote the text, where undoing an edit has restored it; NULL elsewhere.
    sa.Column("author_feedback_id", sa.Uuid),
    sa.Column("line_id", sa.Uuid, nullable=False),
    # Copied from the line: a correction applies to the same line of later transcriptions, too.
    sa.Column("geometry_sha256", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    # The previous correction of the line. Unique, so that the corrections of a line form one chain.
    sa.Column("supersedes", sa.Uuid, sa.ForeignKey("correction.id", ondelete="CASCADE"), unique=True),
    # Why the correction does not train: a code, and sentences for the user. NULL: it trains.
    sa.Column("quarantine", enumeration(QuarantineCode)),
    sa.Column("quarantine_reason", sa.Text),
    # Whether the user has confirmed the text.
    sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    # Whether the row is a withdrawal: the line counts as uncorrected. It has no text and a quarantine.
    sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()),
    # Whether it is a withdrawal by an edit of the page's lines, which undoing the edit takes back.
    sa.Column("withdrawn_by_edit", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("origin", enumeration(Origin), nullable=False, server_default=Origin.USER),
    created_at(),
    foreign_key("page", "page_id", "project_id", cascade=True),
    foreign_key("feedback", "feedback_id", "page_id", cascade=True),
    sa.ForeignKeyConstraint(
        ["author_feedback_id", "page_id", "user_id"],
        ["feedback.id", "feedback.page_id", "feedback.user_id"],
        ondelete="CASCADE",
    ),
    foreign_key("line", "line_id", "page_id", "geometry_sha256", cascade=True),
    sa.UniqueConstraint("id", "line_id", "page_id", "user_id"),
    sa.Index(None, "page_id", "geometry_sha256", "number"),
    sa.Index(None, "user_id"),
    sa.Index(None, "feedback_id"),
    sa.Index(None, "line_id"),
    sa.Index(
        "ix_correction_author_feedback_id",
        "author_feedback_id",
        postgresql_where=sa.text("author_feedback_id IS NOT NULL"),
    ),
)
