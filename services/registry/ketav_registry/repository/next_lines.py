"""Uncorrected lines and verified texts of a project."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.next_lines import Candidate
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.repository.corrections import latest_corrections
from ketav_registry.repository.projects_hands import is_same
from ketav_registry.tables import correction, line, page, project, transcription

_correction, _line, _page, _transcription = correction.c, line.c, page.c, transcription.c


@dataclass(frozen=True, slots=True)
class UncorrectedLines:
    """Uncorrected lines with the least confidence, and the number of all uncorrected lines."""

    candidates: list[Candidate]
    total: int


async def uncorrected_lines(
    transaction: Transaction, user_id: UUID, project_id: UUID, *, max_lines: int, max_code_points: int
) -> UncorrectedLines:
    """Return the least confident lines of the project's latest transcriptions that have no correction.

    Lines without text, longer than `max_code_points`, or imported are left out, also of the total.
    """
    withdrawn = (
        sa.select(_correction.withdrawn)
        .where(_correction.user_id == user_id, _correction.page_id == _line.page_id)
        .where(_correction.geometry_sha256 == _line.geometry_sha256)
        .order_by(_correction.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_latest = sa.and_(_transcription.page_id == _page.id, _transcription.number == _page.readings)
    query = (
        sa.select(
            _line.id,
            _line.page_id,
            _line.order,
            _line.text,
            _line.confidence,
            _line.character_confidences,
            sa.func.count().over().label("total"),
        )
        .select_from(
            page.join(transcription, is_latest).join(line, _line.transcription_id == _transcription.id)
        )
        .where(_page.user_id == user_id, _page.project_id == project_id, _line.user_id == user_id)
        .where(_transcription.model_version.is_not(None), sa.func.coalesce(withdrawn, sa.true()))
        .where(_line.text != "", sa.func.char_length(_line.text) <= max_code_points)
        .order_by(_line.confidence, _page.created_at, _line.page_id, _line.order)
        .limit(max_lines)
    )
    rows = list(await transaction.execute(query))
    candidates = [
        Candidate(
            row.id,
            row.page_id,
            row.order,
            row.text,
            tuple(row.character_confidences) or (row.confidence,) * len(row.text),
        )
        for row in rows
    ]
    return UncorrectedLines(candidates, rows[0].total if rows else 0)


async def verified_texts(
    transaction: Transaction, user_id: UUID, owner: Hand, *, max_lines: int, max_code_points: int
) -> list[str]:
    """Return the latest verified texts of a hand, newest first, each truncated to `max_code_points`."""
    latest = latest_corrections(user_id)
    query = (
        sa.select(sa.func.left(latest.c.text, max_code_points))
        .join(project, project.c.id == latest.c.project_id)
        .where(project.c.script == owner.script, is_same(project.c.hand_id, owner.hand_id))
        .where(latest.c.quarantine.is_(None))
        .order_by(latest.c.number.desc())
        .limit(max_lines)
    )
    return list(await transaction.scalars(query))
