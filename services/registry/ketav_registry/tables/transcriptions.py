"""Transcriptions and their lines."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.domain.transcriptions import RegionType
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

transcription = sa.Table(
    "transcription",
    metadata,
    primary_key(),
    owner(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    # 1 for the first transcription of the page.
    sa.Column("number", sa.Integer, nullable=False),
    # NULL: the lines were imported.
    sa.Column("model_version", sa.Text, sa.ForeignKey("model_version.version")),
    # The transcription whose lines a user edited; NULL: a reading or an import.
    sa.Column("edited_from", sa.Uuid),
    # The request that edited the lines; NULL: a reading, an import, or an edit without a key.
    request_id(),
    request_sha256(),
    created_at(),
    foreign_key("page", "page_id", cascade=True),
    sa.UniqueConstraint("id", "page_id", "user_id"),
    sa.UniqueConstraint("page_id", "number"),
    unique_request("transcription"),
    sa.Index(None, "user_id"),
    sa.Index(None, "model_version"),
)

line = sa.Table(
    "line",
    metadata,
    primary_key(),
    owner(),
    sa.Column("page_id", sa.Uuid, nullable=False),
    sa.Column("transcription_id", sa.Uuid, nullable=False),
    sa.Column("order", sa.Integer, nullable=False),
    # Equal for the same line in every transcription of the page: see `geometry_digests`.
    sa.Column("geometry_sha256", sa.LargeBinary, nullable=False),
    # Arrays of [x, y] in pixels.
    sa.Column("baseline", pg.JSONB, nullable=False),
    sa.Column("boundary", pg.JSONB, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("confidence", sa.REAL, nullable=False),
    sa.Column("character_confidences", pg.ARRAY(sa.REAL), nullable=False),
    # Arrays of [text, confidence, start, end].
    sa.Column("words", pg.JSONB, nullable=False),
    sa.Column("region", enumeration(RegionType), nullable=False, server_default=RegionType.PARAGRAPH.value),
    # An array of [start, end] in pixels along the baseline for each code point; empty: not known.
    sa.Column("character_extents", pg.JSONB, nullable=False, server_default="[]"),
    # Arrays of [text, boundary] of the document from which the line was imported; empty: it has none.
    sa.Column("imported_words", pg.JSONB, nullable=False, server_default="[]"),
    # Digests of the geometry of the lines that an edited line replaces, and of those that they replace.
    sa.Column("replaces", pg.ARRAY(sa.LargeBinary), nullable=False, server_default="{}"),
    foreign_key("transcription", "transcription_id", "page_id", cascade=True),
    sa.UniqueConstraint("id", "page_id", "geometry_sha256", "user_id"),
    sa.UniqueConstraint("transcription_id", "order"),
    sa.Index(None, "user_id"),
)
