"""Transcriptions and their lines."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.tables.columns import created, key, metadata, owned, user

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
