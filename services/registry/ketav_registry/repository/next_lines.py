"""Lines without a correction, and the texts that are verified, of one project."""

from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.next_lines import Candidate
from ketav_registry.repository.corrections import latest_corrections
from ketav_registry.tables import correction, line, page, transcription

_c, _l, _pa, _t = correction.c, line.c, page.c, transcription.c


async def uncorrected_lines(
    transaction: Transaction, user_id: UUID, project_id: UUID, most: int, longest: int
) -> tuple[list[Candidate], int]:
    """Return the least confident lines of the project's latest readings, and how many there are altogether.

    Left out: lines with a correction, without text, of over `longest` code points, and imported ones.
    """
    corrected = sa.exists().where(_c.user_id == user_id, _c.page_id == _l.page_id, _c.place == _l.place)
    query = (
        sa.select(_l.id, _l.page_id, _l.order, _l.text, _l.confidence, _l.character_confidences)
        .add_columns(sa.func.count().over().label("total"))
        .select_from(
            page.join(transcription, sa.and_(_t.page_id == _pa.id, _t.number == _pa.readings)).join(
                line, _l.transcription_id == _t.id
            )
        )
        .where(_pa.user_id == user_id, _pa.project_id == project_id, _l.user_id == user_id)
        .where(_t.model_version.is_not(None), ~corrected)
        .where(_l.text != "", sa.func.char_length(_l.text) <= longest)
        .order_by(_l.confidence, _pa.created_at, _l.page_id, _l.order)
        .limit(most)
    )
    rows = list(await transaction.execute(query))
    found = [
        Candidate(
            row.id,
            row.page_id,
            row.order,
            row.text,
            tuple(row.character_confidences) or (row.confidence,) * len(row.text),
        )
        for row in rows
    ]
    return found, rows[0].total if rows else 0


async def verified_texts(
    transaction: Transaction, user_id: UUID, project_id: UUID, most: int, longest: int
) -> list[str]:
    """Return the project's latest verified texts, newest first, each cut off at `longest` code points."""
    latest = latest_corrections(user_id)
    query = (
        sa.select(sa.func.left(latest.c.text, longest))
        .where(latest.c.project_id == project_id, latest.c.quarantine.is_(None))
        .order_by(latest.c.number.desc())
        .limit(most)
    )
    return list(await transaction.scalars(query))
