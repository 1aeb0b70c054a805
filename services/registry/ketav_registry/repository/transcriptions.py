"""Transcriptions, with the latest correction of each line."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.models import Model
from ketav_registry.domain.pages import Page, PageState
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import (
    ImportedWord,
    Line,
    Transcription,
    Word,
    geometry_digests,
)
from ketav_registry.repository.corrections import AUTHOR_FEEDBACK, AUTHOR_ID, DECIDES, quarantine_of
from ketav_registry.repository.models import model_of
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import account, correction, feedback, line, model_version, page, transcription

_line, _transcription = line.c, transcription.c
_NO_REQUEST = RequestKey()

_CONVERTED = {
    "baseline",
    "boundary",
    "character_confidences",
    "character_extents",
    "imported_words",
    "replaces",
    "words",
}
"""Fields of a line that have another type in the database: arrays and JSON."""
_COPIED = [field.name for field in fields(Line) if field.name in _line and field.name not in _CONVERTED]
"""Fields of a line that its column of the same name stores as they are."""


def line_of(
    row: Any,  # noqa: ANN401 - a row of line
    corrected_text: str | None = None,
    quarantine: Quarantine | None = None,
    verified_text: str | None = None,
    correction_id: UUID | None = None,
) -> Line:
    """Return the line of a row. `_values` is the inverse."""
    return Line(
        **{name: getattr(row, name) for name in _COPIED},
        baseline=tuple((x, y) for x, y in row.baseline),
        boundary=tuple((x, y) for x, y in row.boundary),
        character_confidences=tuple(row.character_confidences),
        words=tuple(Word(*word) for word in row.words),
        character_extents=tuple((start, end) for start, end in row.character_extents),
        imported_words=tuple(
            ImportedWord(text, tuple((x, y) for x, y in boundary)) for text, boundary in row.imported_words
        ),
        replaces=tuple(row.replaces),
        line_id=row.id,
        corrected_text=corrected_text,
        quarantine=quarantine,
        verified_text=verified_text,
        correction_id=correction_id,
    )


def _values(new_line: Line) -> dict[str, Any]:
    """Return the column values of a line. `line_of` is the inverse."""
    return {name: getattr(new_line, name) for name in _COPIED} | {
        "id": new_line.line_id,
        "baseline": new_line.baseline,
        "boundary": new_line.boundary,
        "character_confidences": list(new_line.character_confidences),
        "character_extents": new_line.character_extents,
        "imported_words": [(word.text, word.boundary) for word in new_line.imported_words],
        "replaces": list(new_line.replaces),
        "words": [(word.text, word.confidence, word.start, word.end) for word in new_line.words],
    }


async def insert_transcription(
    transaction: Transaction,
    user_id: UUID,
    page_id: UUID,
    model: Model | None,
    lines: Sequence[Line],
    *,
    edited_from: UUID | None = None,
    request: RequestKey = _NO_REQUEST,
) -> Transcription:
    """Insert the latest transcription of a page and set the page's state to READ; without a model: an import.

    The page must be locked. `edited_from`: the transcription whose lines the user edited, by `request`.
    """
    query = (
        page.update()
        .where(page.c.id == page_id, page.c.user_id == user_id)
        .values(state=PageState.READ, readings=page.c.readings + 1)
        .returning(page.c.readings)
    )
    number = (await transaction.execute(query)).scalar_one()
    owner = {"user_id": user_id, "page_id": page_id}
    insert = transcription.insert().values(
        id=uuid4(),
        number=number,
        model_version=model and model.version,
        edited_from=edited_from,
        request_id=request.request_id or None,
        request_sha256=request.sha256 or None,
        **owner,
    )
    returning = insert.returning(_transcription.id, _transcription.created_at)
    stored = (await transaction.execute(returning)).one()
    new_lines = tuple(replace(new_line, line_id=uuid4()) for new_line in lines)
    if new_lines:
        rows = [
            {"transcription_id": stored.id, "geometry_sha256": digest, **owner, **_values(new_line)}
            for new_line, digest in zip(new_lines, geometry_digests(new_lines), strict=True)
        ]
        await transaction.execute(line.insert(), rows)
    return Transcription(stored.id, model, new_lines, stored.created_at, edited_from)


async def with_transcriptions(transaction: Transaction, user_id: UUID, pages: Sequence[Page]) -> list[Page]:
    """Return the pages with their latest transcriptions and the latest correction of each line."""
    latest = (
        sa.select(
            _transcription.id,
            _transcription.page_id,
            _transcription.created_at.label("read_at"),
            _transcription.edited_from,
            model_version,
        )
        .join(page, sa.and_(page.c.id == _transcription.page_id, page.c.readings == _transcription.number))
        .outerjoin(model_version, model_version.c.version == _transcription.model_version)
        .where(_transcription.user_id == user_id)
        .where(_transcription.page_id.in_([unread_page.page_id for unread_page in pages]))
    )
    rows = {row.page_id: row for row in await transaction.execute(latest)}
    lines = await _lines_of(transaction, user_id, [row.id for row in rows.values()])
    transcriptions = {
        page_id: Transcription(
            row.id,
            None if row.version is None else model_of(row),
            tuple(lines[row.id]),
            row.read_at,
            row.edited_from,
        )
        for page_id, row in rows.items()
    }
    return [
        replace(unread_page, transcription=transcriptions.get(unread_page.page_id, unread_page.transcription))
        for unread_page in pages
    ]


async def find_earlier(
    transaction: Transaction, user_id: UUID, page_id: UUID, transcription_id: UUID
) -> Transcription | None:
    """Return a transcription of a page by its id, without its model; None when the page has none with it."""
    query = sa.select(_transcription.id, _transcription.created_at, _transcription.edited_from).where(
        _transcription.user_id == user_id,
        _transcription.page_id == page_id,
        _transcription.id == transcription_id,
    )
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    lines = await _lines_of(transaction, user_id, [row.id])
    return Transcription(row.id, None, tuple(lines[row.id]), row.created_at, row.edited_from)


async def is_requested(transaction: Transaction, user_id: UUID, request: RequestKey) -> bool:
    """Return whether the same request has edited lines. Conflict: a different request had the same key."""
    if not request.request_id:
        return False
    query = sa.select(_transcription.request_sha256).where(
        _transcription.user_id == user_id, _transcription.request_id == request.request_id
    )
    row = (await transaction.execute(query)).first()
    if row is None:
        return False
    check_same_request(row, request)
    return True


def latest_correction(*, deciding: bool) -> sa.FromClause:
    """Return a lateral subquery for a line's latest correction, made on any transcription of its page.

    With `deciding`, for the latest one that decides the text of the line.
    """
    query = (
        sa.select(
            correction.c.id,
            correction.c.text,
            correction.c.quarantine,
            correction.c.quarantine_reason,
            correction.c.withdrawn,
            AUTHOR_FEEDBACK.label("author_feedback_id"),
        )
        .where(correction.c.page_id == _line.page_id, correction.c.geometry_sha256 == _line.geometry_sha256)
        .where(correction.c.user_id == _line.user_id)
        .order_by(correction.c.number.desc())
        .limit(1)
    )
    return query.where(DECIDES).lateral("deciding") if deciding else query.lateral("latest")


async def _lines_of(
    transaction: Transaction, user_id: UUID, transcription_ids: Sequence[UUID]
) -> dict[UUID, list[Line]]:
    """Return the lines of transcriptions in reading order."""
    latest, deciding = latest_correction(deciding=False), latest_correction(deciding=True)
    query = (
        sa.select(
            line,
            latest.c.id.label("correction_id"),
            latest.c.text.label("corrected_text"),
            latest.c.quarantine,
            latest.c.quarantine_reason,
            latest.c.withdrawn,
            account.c.name.label("author"),
            sa.case((~deciding.c.withdrawn, deciding.c.text)).label("verified_text"),
        )
        .select_from(line.outerjoin(latest, sa.true()).outerjoin(deciding, sa.true()))
        .outerjoin(feedback, feedback.c.id == latest.c.author_feedback_id)
        .outerjoin(account, account.c.id == AUTHOR_ID)
        .where(_line.user_id == user_id, _line.transcription_id.in_(transcription_ids))
        .order_by(_line.transcription_id, _line.order)
    )
    lines: defaultdict[UUID, list[Line]] = defaultdict(list)
    for row in await transaction.execute(query):
        corrected_text = None if row.withdrawn else row.corrected_text
        quarantine = None if row.withdrawn else quarantine_of(row)
        read_line = line_of(row, corrected_text, quarantine, row.verified_text, row.correction_id)
        lines[row.transcription_id].append(replace(read_line, author=row.author or ""))
    return lines


async def line_orders(transaction: Transaction, user_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the positions of lines in the reading order, from 0."""
    query = sa.select(_line.id, _line.order).where(_line.user_id == user_id, _line.id.in_(line_ids))
    return {row.id: row.order for row in await transaction.execute(query)}
