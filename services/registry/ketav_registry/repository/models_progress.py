"""First transcriptions of pages, with the verified texts of their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ketav_common.error_rates import Pair
from ketav_registry.database import Transaction
from ketav_registry.domain.models_progress import FirstReading
from ketav_registry.domain.projects_hands import HandFilter
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository.models import model_of
from ketav_registry.repository.projects_hands import HAND_NAME, hand_of
from ketav_registry.repository.transcriptions import latest_correction
from ketav_registry.tables import hand, line, model_version, page, project, transcription

_line, _version, _page, _transcription = line.c, model_version.c, page.c, transcription.c
_FIRST_NUMBER = 1
_READING_COLUMNS = (
    _page.id.label("page_id"),
    _page.project_id,
    project.c.script,
    project.c.hand_id,
    HAND_NAME,
    _page.created_at.label("stored_at"),
    _transcription.created_at.label("read_at"),
    _version.version,
    _version.user_id,
    _version.sha256,
    _version.size_bytes,
    _version.alphabet,
)


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line of a first transcription: its page, and the pair of its verified text and its reading."""

    reading: FirstReading
    pair: Pair


@dataclass(frozen=True, slots=True)
class ComparedLines:
    """Lines of first transcriptions; `complete`: no line was left out because of a limit."""

    lines: Sequence[ComparedLine]
    complete: bool


def _reading_of(row: Any) -> FirstReading:  # noqa: ANN401 - a row of _READING_COLUMNS
    """Return the first reading of a row."""
    return FirstReading(row.page_id, row.project_id, hand_of(row), model_of(row), row.read_at, row.stored_at)


_FIRST_READINGS = (
    transcription.join(page, _page.id == _transcription.page_id)
    .join(project, project.c.id == _page.project_id)
    .outerjoin(hand, hand.c.id == project.c.hand_id)
    .join(model_version, _version.version == _transcription.model_version)
)
"""Transcriptions by a model, with their pages, projects, hands and models."""


def _is_first_reading(user_id: UUID, hands: HandFilter) -> sa.ColumnElement[bool]:
    """Return whether a row of `_FIRST_READINGS` is a first transcription of the user, of these hands."""
    conditions = [_page.user_id == user_id, _transcription.user_id == user_id]
    conditions.append(_transcription.number == _FIRST_NUMBER)
    if hands.script is not None:
        conditions.append(project.c.script == hands.script)
    if hands.name is not None:
        conditions.append(sa.func.coalesce(hand.c.name, "") == hands.name)
    return sa.and_(*conditions)


async def list_first_readings(
    transaction: Transaction,
    user_id: UUID,
    hands: HandFilter,
    after: ListPosition[UUID] | None,
    limit: int,
) -> list[FirstReading]:
    """Return the user's pages whose first transcription has a verified line, newest first."""
    latest = latest_correction(deciding=True)
    has_verified_line = (
        sa.select(_line.id)
        .select_from(line.join(latest, sa.true()))
        .where(_line.transcription_id == _transcription.id, latest.c.quarantine.is_(None))
        .exists()
    )
    query = (
        sa.select(*_READING_COLUMNS)
        .select_from(_FIRST_READINGS)
        .where(_is_first_reading(user_id, hands), has_verified_line)
    )
    if after is not None:
        query = query.where(sa.tuple_(_page.created_at, _page.id) < after)
    query = query.order_by(_page.created_at.desc(), _page.id.desc()).limit(limit)
    return [_reading_of(row) for row in await transaction.execute(query)]


async def list_pairs(transaction: Transaction, user_id: UUID, page_id: UUID) -> list[Pair]:
    """Return (verified text, first reading) of each verified line of a page, in reading order."""
    latest = latest_correction(deciding=True)
    query = (
        sa.select(latest.c.text, _line.text.label("read"))
        .select_from(
            transcription.join(line, _line.transcription_id == _transcription.id).join(latest, sa.true())
        )
        .where(_transcription.user_id == user_id, _transcription.page_id == page_id)
        .where(_transcription.number == _FIRST_NUMBER, latest.c.quarantine.is_(None))
        .order_by(_line.order)
    )
    return [(row.text, row.read) for row in await transaction.execute(query)]


async def list_compared_lines(
    transaction: Transaction,
    user_id: UUID,
    hands: HandFilter,
    *,
    max_lines: int,
    max_code_points: int,
) -> ComparedLines:
    """Return the verified lines of all first transcriptions, newest page first, up to the two limits."""
    latest = latest_correction(deciding=True)
    newest = (
        sa.select(*_READING_COLUMNS, latest.c.text, _line.text.label("read"), _line.order)
        .select_from(
            _FIRST_READINGS.join(line, _line.transcription_id == _transcription.id).join(latest, sa.true())
        )
        .where(_is_first_reading(user_id, hands), latest.c.quarantine.is_(None))
        .order_by(_page.created_at.desc(), _page.id, _line.order)
        .limit(max_lines + 1)
        .subquery("newest")
    )
    length = sa.func.char_length(newest.c.text) + sa.func.char_length(newest.c.read)
    order = (newest.c.stored_at.desc(), newest.c.page_id, newest.c.order)
    running = sa.func.sum(length).over(order_by=order, rows=(None, 0)).label("running")
    counted = sa.select(newest, running, sa.func.count().over().label("total")).subquery("counted")
    query = counted.select().where(counted.c.running <= max_code_points).limit(max_lines)
    rows = list(await transaction.execute(query))
    lines = [ComparedLine(_reading_of(row), (row.text, row.read)) for row in rows]
    return ComparedLines(lines, complete=not rows or len(rows) == rows[0].total)
