"""Jobs, their pages, and what exports write."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.jobs import JobKind, JobPageState, JobState
from ketav_registry.domain.pages import Layout
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
    timestamp,
    traceparent,
    unique_request,
)

_ACTIVE = sa.text("state IN ('queued', 'running')")

job = sa.Table(
    "job",
    metadata,
    primary_key(),
    owner(),
    sa.Column("project_id", sa.Uuid, nullable=False),
    # The member of the project who created it, and whose turns count; NULL: the owner.
    member(),
    sa.Column("kind", enumeration(JobKind), nullable=False, server_default=JobKind.READING.value),
    sa.Column("state", enumeration(JobState), nullable=False),
    # Incremented by each change that users see.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("page_count", sa.Integer, nullable=False),
    sa.Column("pages_read", sa.Integer, nullable=False, server_default="0"),
    sa.Column("pages_failed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("layout", enumeration(Layout), nullable=False),
    sa.Column("model_version", sa.Text, nullable=False, server_default=""),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
    sa.Column("detect_turn", sa.Boolean, nullable=False, server_default=sa.false()),
    # The uploaded file, until the job has ended; NULL for a job over stored pages.
    sa.Column("document_key", sa.Text, unique=True),
    sa.Column("document_sha256", sa.LargeBinary),
    sa.Column("document_bytes", sa.BigInteger),
    # Time of the latest claim of a page: the users take turns, and the jobs of a user.
    sa.Column("served_at", sa.DateTime(timezone=True)),
    request_id(),
    request_sha256(),
    traceparent(),
    created_at(),
    timestamp("updated_at"),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    foreign_key("project", "project_id", cascade=True),
    sa.UniqueConstraint("id", "user_id"),
    sa.Index(None, "user_id", "created_at", "id"),
    sa.Index(None, "user_id", "served_at"),
    sa.Index("ix_job_creator_served_at", sa.text("coalesce(member_id, user_id)"), "served_at"),
    sa.Index(None, "project_id"),
    sa.Index("ix_job_active", "created_at", postgresql_where=_ACTIVE),
    unique_request("job"),
)

job_page = sa.Table(
    "job_page",
    metadata,
    sa.Column("job_id", sa.Uuid, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("user_id", sa.Uuid, nullable=False),
    # The stored page; it may have been deleted since.
    sa.Column("page_id", sa.Uuid),
    sa.Column("state", enumeration(JobPageState), nullable=False),
    # Incremented by each claim: the writes of an earlier claim change no row.
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    # Time of the next attempt.
    timestamp("due_at"),
    sa.Column("worker", sa.Text),
    sa.Column("error_code", sa.Text, nullable=False, server_default=""),
    sa.Column("error_detail", sa.Text, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("job_id", "position"),
    foreign_key("job", "job_id", cascade=True),
    sa.Index("ix_job_page_active", "job_id", "state", "position", postgresql_where=_ACTIVE),
)

job_export = sa.Table(
    "job_export",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    # Pages to export in this order; empty: all of the project.
    sa.Column("page_ids", pg.ARRAY(sa.Uuid), nullable=False),
    sa.Column("images", sa.Boolean, nullable=False),
    # URL that the document names as its own, and that of the API.
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("base", sa.Text, nullable=False),
    # Incremented by each claim: the writes of an earlier claim change no row.
    sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # NULL while no gateway writes the export.
    sa.Column("lease_until", sa.DateTime(timezone=True)),
    # Time of the next attempt.
    timestamp("due_at"),
    sa.Column("error_code", sa.Text, nullable=False, server_default=""),
    sa.Column("error_detail", sa.Text, nullable=False, server_default=""),
    # The stored file; NULL before it is stored and after it was removed.
    sa.Column("result_key", sa.Text, unique=True),
    sa.Column("result_sha256", sa.LargeBinary),
    sa.Column("result_bytes", sa.BigInteger),
    sa.Column("result_expires_at", sa.DateTime(timezone=True)),
    foreign_key("job", "job_id", cascade=True),
)
