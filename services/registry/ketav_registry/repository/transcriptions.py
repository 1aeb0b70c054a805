"""What was read on a page, with the latest correction of each line."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.models import Model
from ketav_registry.domain.pages import Page, PageState
from ketav_registry.domain.transcriptions import Line, Transcription, Word, places
from ketav_registry.repository.corrections import quarantine_of
from ketav_registry.repository.models import model_of
from ketav_registry.tables import correction, line, model_version, page, transcription

_l, _t = line.c, transcription.c


def line_of(
    row: Any,  # noqa: ANN401 - a row of line
    corrected_text: str | None = None,
    quarantine: Quarantine | None = None,
) -> Line:
    """Read a line."""
    return Line(
        order=row.order,
        baseline=tuple((x, y) for x, y in row.baseline),
        boundary=tuple((x, y) for x, y in row.boundary),
        text=row.text,
        confidence=row.confidence,
        character_confidences=tuple(row.character_confidences),
        words=tuple(Word(*word) for word in row.words),
        line_id=row.id,
        corrected_text=corrected_text,
        quarantine=quarantine,
    )


async def insert_transcription(
    transaction: Transaction, user_id: UUID, page_id: UUID, model: Model | None, lines: Sequence[Line]
) -> Transcription | None:
    """Store a reading (imported lines have no model) as the page's latest; the page is READ.

    None: the user has no such page.
    """
    query = (
        page.update()
        .where(page.c.id == page_id, page.c.user_id == user_id)
        .values(state=PageState.READ, readings=page.c.readings + 1)
        .returning(page.c.readings)
    )
    number = (await transaction.execute(query)).scalar()
    if number is None:
        return None
    owner = {"user_id": user_id, "page_id": page_id}
    values = {"id": uuid4(), "number": number, "model_version": model and model.version, **owner}
    made = (
        await transaction.execute(transcription.insert().values(**values).returning(_t.id, _t.created_at))
    ).one()
    named = tuple(replace(each, line_id=uuid4()) for each in lines)
    if named:
        rows = [
            {"transcription_id": made.id, "place": place, **owner, **_row(each)}
            for each, place in zip(named, places(named), strict=True)
        ]
        await transaction.execute(line.insert(), rows)
    return Transcription(made.id, model, named, made.created_at)


def _row(each: Line) -> dict[str, Any]:
    """Write a line as a row."""
    return {
        "id": each.line_id,
        "order": each.order,
        "baseline": each.baseline,
        "boundary": each.boundary,
        "text": each.text,
        "confidence": each.confidence,
        "character_confidences": list(each.character_confidences),
        "words": [(word.text, word.confidence, word.start, word.end) for word in each.words],
    }


async def with_transcriptions(transaction: Transaction, user_id: UUID, pages: Sequence[Page]) -> list[Page]:
    """Return the pages with the latest transcription of each and the latest correction of each line."""
    latest = (
        sa.select(_t.id, _t.page_id, _t.created_at.label("read_at"), model_version)
        .join(page, sa.and_(page.c.id == _t.page_id, page.c.readings == _t.number))
        .outerjoin(model_version, model_version.c.version == _t.model_version)
        .where(_t.user_id == user_id, _t.page_id.in_([each.page_id for each in pages]))
    )
    readings = {row.page_id: row for row in await transaction.execute(latest)}
    lines = await _lines(transaction, user_id, [row.id for row in readings.values()])
    return [
        replace(
            each,
            transcription=Transcription(
                reading.id,
                None if reading.version is None else model_of(reading),
                tuple(lines[reading.id]),
                reading.read_at,
            ),
        )
        if (reading := readings.get(each.page_id))
        else each
        for each in pages
    ]


def latest_correction() -> sa.FromClause:
    """Find the latest correction of the place where a line lies, whichever reading it was made on."""
    query = (
        sa.select(correction.c.text, correction.c.quarantine, correction.c.quarantine_reason)
        .where(correction.c.page_id == _l.page_id, correction.c.place == _l.place)
        .where(correction.c.user_id == _l.user_id)
        .order_by(correction.c.number.desc())
        .limit(1)
    )
    return query.lateral("latest")


async def _lines(
    transaction: Transaction, user_id: UUID, transcription_ids: Sequence[UUID]
) -> dict[UUID, list[Line]]:
    """Return the lines of transcriptions in reading order."""
    latest = latest_correction()
    query = (
        sa.select(
            line, latest.c.text.label("corrected_text"), latest.c.quarantine, latest.c.quarantine_reason
        )
        .select_from(line.outerjoin(latest, sa.true()))
        .where(_l.user_id == user_id, _l.transcription_id.in_(transcription_ids))
        .order_by(_l.transcription_id, _l.order)
    )
    found: defaultdict[UUID, list[Line]] = defaultdict(list)
    for row in await transaction.execute(query):
        found[row.transcription_id].append(line_of(row, row.corrected_text, quarantine_of(row)))
    return found


async def orders(transaction: Transaction, user_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the places of lines in their reading order."""
    query = sa.select(_l.id, _l.order).where(_l.user_id == user_id, _l.id.in_(line_ids))
    return {row.id: row.order for row in await transaction.execute(query)}
