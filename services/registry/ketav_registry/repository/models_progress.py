"""First readings beside the verified texts of their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from ketav_common.metrics import Pair
from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.models_progress import ReadPage
from ketav_registry.domain.requests import After
from ketav_registry.repository.models import model_of
from ketav_registry.repository.transcriptions import latest_correction
from ketav_registry.tables import line, model_version, page, project, transcription

_l, _m, _pa, _t = line.c, model_version.c, page.c, transcription.c
_FIRST = 1
_MODEL = (_m.version, _m.user_id, _m.sha256, _m.size_bytes, _m.alphabet)
_PAGE = (
    _pa.id.label("page_id"),
    _pa.project_id,
    project.c.script,
    _pa.created_at.label("stored_at"),
    _t.created_at.label("read_at"),
)


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line of a first reading: its page, the verified text and what was read."""

    page: ReadPage
    pair: Pair


def _page_of(row: Any) -> ReadPage:  # noqa: ANN401 - a row with _PAGE and _MODEL
    """Read a page with its first reading."""
    return ReadPage(row.page_id, row.project_id, row.script, model_of(row), row.read_at, row.stored_at)


def _first_readings(user_id: UUID, script: Script | None) -> tuple[sa.FromClause, list[Any]]:
    """Join the user's pages with their first readings, if a model made them; return the conditions, too."""
    joined = (
        transcription.join(page, _pa.id == _t.page_id)
        .join(project, project.c.id == _pa.project_id)
        .join(model_version, _m.version == _t.model_version)
    )
    conditions = [_pa.user_id == user_id, _t.user_id == user_id, _t.number == _FIRST]
    return joined, conditions if script is None else [*conditions, project.c.script == script]


async def read_pages(
    transaction: Transaction, user_id: UUID, script: Script | None, after: After | None, limit: int
) -> list[ReadPage]:
    """Return the user's pages with a verified line of their first reading, newest first."""
    joined, conditions = _first_readings(user_id, script)
    latest = latest_correction()
    verified = (
        sa.select(_l.id)
        .select_from(line.join(latest, sa.true()))
        .where(_l.transcription_id == _t.id, latest.c.quarantine.is_(None))
        .exists()
    )
    query = sa.select(*_PAGE, *_MODEL).select_from(joined).where(*conditions, verified)
    if after is not None:
        query = query.where(sa.tuple_(_pa.created_at, _pa.id) < after)
    query = query.order_by(_pa.created_at.desc(), _pa.id.desc()).limit(limit)
    return [_page_of(row) for row in await transaction.execute(query)]


async def pairs_of(transaction: Transaction, user_id: UUID, page_id: UUID) -> list[Pair]:
    """Return the verified text and the first reading of each verified line of a page."""
    latest = latest_correction()
    query = (
        sa.select(latest.c.text, _l.text.label("read"))
        .select_from(transcription.join(line, _l.transcription_id == _t.id).join(latest, sa.true()))
        .where(_t.user_id == user_id, _t.page_id == page_id, _t.number == _FIRST)
        .where(latest.c.quarantine.is_(None))
        .order_by(_l.order)
    )
    return [(row.text, row.read) for row in await transaction.execute(query)]


async def compared_lines(
    transaction: Transaction, user_id: UUID, script: Script | None, most_lines: int, most_text: int
) -> tuple[Sequence[ComparedLine], bool]:
    """Return the verified lines of all first readings, newest page first, and whether these are all.

    They end after `most_lines` lines or `most_text` code points.
    """
    joined, conditions = _first_readings(user_id, script)
    latest = latest_correction()
    newest = (
        sa.select(*_PAGE, *_MODEL, latest.c.text, _l.text.label("read"), _l.order)
        .select_from(joined.join(line, _l.transcription_id == _t.id).join(latest, sa.true()))
        .where(*conditions, latest.c.quarantine.is_(None))
        .order_by(_pa.created_at.desc(), _pa.id, _l.order)
        .limit(most_lines + 1)
        .subquery("newest")
    )
    length = sa.func.char_length(newest.c.text) + sa.func.char_length(newest.c.read)
    order = (newest.c.stored_at.desc(), newest.c.page_id, newest.c.order)
    running = sa.func.sum(length).over(order_by=order, rows=(None, 0)).label("running")
    counted = sa.select(newest, running, sa.func.count().over().label("total")).subquery("counted")
    query = counted.select().where(counted.c.running <= most_text).limit(most_lines)
    rows = list(await transaction.execute(query))
    found = [ComparedLine(_page_of(row), (row.text, row.read)) for row in rows]
    return found, not rows or len(rows) == rows[0].total
