"""The history of a line: its corrections, each with its author."""

from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import StoredCorrection
from ketav_registry.domain.transcriptions import LineKey
from ketav_registry.repository.corrections import AUTHOR_FEEDBACK, AUTHOR_ID, quarantine_of
from ketav_registry.tables import account, correction, feedback, line

_correction, _feedback, _line = correction.c, feedback.c, line.c


async def find_line(transaction: Transaction, user_id: UUID, page_id: UUID, line_id: UUID) -> LineKey | None:
    """Return the key of a line of a page; None when the page has none with this id."""
    query = sa.select(_line.geometry_sha256).where(
        _line.user_id == user_id, _line.page_id == page_id, _line.id == line_id
    )
    digest = await transaction.scalar(query)
    return None if digest is None else LineKey(page_id, digest)


async def list_corrections(
    transaction: Transaction, user_id: UUID, key: LineKey, limit: int = 100
) -> list[StoredCorrection]:
    """Return the corrections of a line, made on any transcription of its page, newest first."""
    restoration, restorer = feedback.alias("restoration"), account.alias("restorer")
    restored = sa.and_(
        _correction.author_feedback_id.is_not(None), restoration.c.id == _correction.feedback_id
    )
    restorer_id = sa.func.coalesce(restoration.c.member_id, restoration.c.user_id)
    query = (
        sa.select(
            correction,
            AUTHOR_FEEDBACK.label("written_in"),
            account.c.name.label("author"),
            restorer.c.name.label("restored_by"),
        )
        .join(feedback, _feedback.id == AUTHOR_FEEDBACK)
        .outerjoin(account, account.c.id == AUTHOR_ID)
        .outerjoin(restoration, restored)
        .outerjoin(restorer, restorer.c.id == restorer_id)
        .where(_correction.user_id == user_id, _correction.page_id == key.page_id)
        .where(_correction.geometry_sha256 == key.geometry_sha256)
        .order_by(_correction.number.desc())
        .limit(limit)
    )
    return [
        StoredCorrection(
            row.text,
            row.confirmed,
            quarantine_of(row),
            row.origin,
            row.withdrawn,
            row.created_at,
            row.withdrawn_by_edit,
            row.author or "",
            row.written_in,
            row.restored_by or "",
        )
        for row in await transaction.execute(query)
    ]
