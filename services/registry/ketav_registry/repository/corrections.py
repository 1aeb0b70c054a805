"""Corrections: append-only, each superseding the one before it of the same place."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import Correction, Feedback, Unaligned
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import Request
from ketav_registry.repository.requests import same_request
from ketav_registry.tables import correction, feedback, line, transcription

_c, _f, _t = correction.c, feedback.c, transcription.c


async def find_requested_feedback(
    transaction: Transaction, user_id: UUID, request: Request
) -> Feedback | None:
    """Return what a request was answered before. Conflict: the key was used for something else."""
    if not request.request_id:
        return None
    query = feedback.select().where(_f.user_id == user_id, _f.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    same_request(row, request)
    unaligned = tuple(
        Unaligned(text, UUID(line_id) if line_id else None, reason) for text, line_id, reason in row.unaligned
    )
    quarantined = await _quarantined(transaction, row.id)
    return Feedback(row.id, row.accepted_lines, unaligned, row.ground_truth_lines, quarantined)


async def refuse_other_requests(transaction: Transaction, user_id: UUID, request: Request) -> None:
    """Refuse a page of a request whose name another request has used for any of its pages (Conflict)."""
    whole, colon, _ = request.request_id.rpartition(":")
    if not colon:
        return
    mine = sa.and_(_f.user_id == user_id, _f.request_id.startswith(whole + colon, autoescape=True))
    query = feedback.select().where(mine, _f.request_sha256.is_distinct_from(request.sha256)).limit(1)
    row = (await transaction.execute(query)).first()
    if row is not None:
        same_request(row, request)


async def _quarantined(transaction: Transaction, feedback_id: UUID) -> tuple[Correction, ...]:
    """Return the corrections of a feedback that were quarantined."""
    query = correction.select().where(_c.feedback_id == feedback_id, _c.quarantine.is_not(None))
    return tuple(
        Correction(row.line_id, row.text, row.confirmed, quarantine_of(row))
        for row in await transaction.execute(query.order_by(_c.number))
    )


def quarantine_of(row: Any) -> Quarantine | None:  # noqa: ANN401 - a row with the columns of a quarantine
    """Read why a correction is quarantined; None when it is not, or when there is no correction."""
    return None if row.quarantine is None else Quarantine(row.quarantine, row.quarantine_reason)


def latest_corrections(user_id: UUID) -> sa.Subquery:
    """Select the latest correction of every place on the user's pages, quarantined or not.

    A place that an import has left out is none any more, unless a later reading has found it again.
    """
    query = correction.select().where(_c.user_id == user_id, ~_replaced(user_id))
    newest_first = query.order_by(_c.page_id, _c.place, _c.number.desc())
    return newest_first.ext(pg.distinct_on(_c.page_id, _c.place)).subquery("latest")


def _replaced(user_id: UUID) -> sa.ColumnElement[bool]:
    """Say whether a correction lies where neither its page's last import nor a later reading has a line.

    Neither list depends on the correction, so that each is made once for all of them.
    """
    imported = (
        sa.select(_t.page_id, sa.func.max(_t.number).label("number"))
        .where(_t.user_id == user_id, _t.model_version.is_(None))
        .group_by(_t.page_id)
        .subquery("imported")
    )
    since = sa.and_(_t.page_id == imported.c.page_id, _t.number >= imported.c.number)
    kept = (
        sa.select(line.c.page_id, line.c.place)
        .select_from(imported.join(transcription, since).join(line, line.c.transcription_id == _t.id))
        .where(line.c.user_id == user_id)
    )
    return sa.and_(
        _c.page_id.in_(sa.select(imported.c.page_id)), sa.tuple_(_c.page_id, _c.place).not_in(kept)
    )


async def count_ground_truth(transaction: Transaction, user_id: UUID) -> int:
    """Count the places of the user's pages whose text is known and not quarantined."""
    latest = latest_corrections(user_id)
    query = sa.select(sa.func.count()).select_from(latest).where(latest.c.quarantine.is_(None))
    return int((await transaction.execute(query)).scalar_one())


async def insert_feedback(
    transaction: Transaction,
    user_id: UUID,
    page: Page,
    accepted: Sequence[Correction],
    unaligned: Sequence[Unaligned],
    request: Request,
) -> Feedback | None:
    """Store a feedback and its corrections; None when the same request has stored one meanwhile.

    The page must be locked: the chain of corrections depends on it. The count of ground truth is of all
    pages, as they were when this began: what is stored on another page at the same moment is not in it.
    """
    feedback_id = uuid4()
    on_page = {"user_id": user_id, "page_id": page.page_id, "project_id": page.project_id}
    known = await count_ground_truth(transaction, user_id)
    latest = await _latest(transaction, user_id, [each.line_id for each in accepted])
    before = sum(row.correction_id is not None and row.quarantine is None for row in latest.values())
    total = known - before + sum(each.quarantine is None for each in accepted)
    values = {
        "id": feedback_id,
        "accepted_lines": len(accepted),
        "unaligned": [(each.text, str(each.line_id or ""), each.reason) for each in unaligned],
        "ground_truth_lines": total,
        "request_id": request.request_id or None,
        "request_sha256": request.sha256 or None,
    }
    query = pg.insert(feedback).values(**on_page, **values).on_conflict_do_nothing().returning(_f.id)
    if (await transaction.execute(query)).first() is None:
        return None
    if accepted:
        rows = [
            _row(each, latest[each.line_id]) | {"feedback_id": feedback_id, **on_page} for each in accepted
        ]
        await transaction.execute(correction.insert(), rows)
    quarantined = tuple(each for each in accepted if each.quarantine is not None)
    return Feedback(feedback_id, len(accepted), tuple(unaligned), total, quarantined)


def _row(each: Correction, latest: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of `_latest`
    """Write a correction of a line as a row."""
    return {
        "id": uuid4(),
        "line_id": each.line_id,
        "place": latest.place,
        "text": each.text,
        "supersedes": latest.correction_id,
        "quarantine": each.quarantine and each.quarantine.doubt,
        "quarantine_reason": each.quarantine and each.quarantine.reason,
        "confirmed": each.confirmed,
        "origin": each.origin,
    }


async def _latest(transaction: Transaction, user_id: UUID, line_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Return the place of each line with the key of the latest correction there, if any."""
    query = (
        sa.select(line.c.id, line.c.place, _c.id.label("correction_id"), _c.quarantine)
        .select_from(
            line.outerjoin(correction, sa.and_(_c.page_id == line.c.page_id, _c.place == line.c.place))
        )
        .where(line.c.user_id == user_id, line.c.id.in_(line_ids))
        .order_by(line.c.id, _c.number.desc())
        .ext(pg.distinct_on(line.c.id))
    )
    return {row.id: row for row in await transaction.execute(query)}
