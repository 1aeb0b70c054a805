"""Corrections. They are append-only; each supersedes the previous correction of the same line."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_common.tracing import traceparent
from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import Correction, Feedback, UnalignedLine
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import RequestKey
from ketav_registry.repository.requests import check_same_request
from ketav_registry.tables import correction, feedback, line, transcription

_correction, _feedback, _line, _transcription = correction.c, feedback.c, line.c, transcription.c


async def find_requested_feedback(
    transaction: Transaction, user_id: UUID, request: RequestKey
) -> Feedback | None:
    """Return the response to the same request. Conflict: a different request had the same key."""
    if not request.request_id:
        return None
    query = feedback.select().where(_feedback.user_id == user_id, _feedback.request_id == request.request_id)
    row = (await transaction.execute(query)).first()
    if row is None:
        return None
    check_same_request(row, request)
    unaligned = tuple(
        UnalignedLine(text, UUID(line_id) if line_id else None, reason)
        for text, line_id, reason in row.unaligned
    )
    quarantined = await _quarantined(transaction, row.id)
    return Feedback(row.id, row.accepted_lines, unaligned, row.ground_truth_lines, quarantined)


async def check_request_of_pages(transaction: Transaction, user_id: UUID, request: RequestKey) -> None:
    """Raise Conflict if a different request with the same key has stored any of its pages.

    The request id of a page is the client's key, a colon and the page's number.
    """
    client_key, colon, _ = request.request_id.rpartition(":")
    if not colon:
        return
    same_key = _feedback.request_id.startswith(client_key + colon, autoescape=True)
    query = (
        feedback.select()
        .where(_feedback.user_id == user_id, same_key)
        .where(_feedback.request_sha256.is_distinct_from(request.sha256))
        .limit(1)
    )
    row = (await transaction.execute(query)).first()
    if row is not None:
        check_same_request(row, request)


async def _quarantined(transaction: Transaction, feedback_id: UUID) -> tuple[Correction, ...]:
    """Return the quarantined corrections of a feedback."""
    query = correction.select().where(
        _correction.feedback_id == feedback_id, _correction.quarantine.is_not(None)
    )
    return tuple(
        Correction(row.line_id, row.text, row.confirmed, quarantine_of(row))
        for row in await transaction.execute(query.order_by(_correction.number))
    )


def quarantine_of(row: Any) -> Quarantine | None:  # noqa: ANN401 - a row with the columns of a quarantine
    """Return the quarantine of a correction; None when it trains, or when the line has no correction."""
    return None if row.quarantine is None else Quarantine(row.quarantine, row.quarantine_reason)


def latest_corrections(user_id: UUID) -> sa.Subquery:
    """Return a subquery for the latest correction of every line of the user's pages, quarantined or not.

    A line that a later import of its page leaves out has none, unless a transcription after it has the line.
    """
    query = correction.select().where(_correction.user_id == user_id, ~_is_removed_by_import(user_id))
    newest_first = query.order_by(_correction.page_id, _correction.geometry_sha256, _correction.number.desc())
    latest = newest_first.ext(pg.distinct_on(_correction.page_id, _correction.geometry_sha256))
    return latest.subquery("latest")


def _is_removed_by_import(user_id: UUID) -> sa.ColumnElement[bool]:
    """Return whether neither the last import of a correction's page nor a later transcription has its line.

    The two subqueries do not depend on the correction, so PostgreSQL computes each once.
    """
    imported = (
        sa.select(_transcription.page_id, sa.func.max(_transcription.number).label("number"))
        .where(_transcription.user_id == user_id, _transcription.model_version.is_(None))
        .group_by(_transcription.page_id)
        .subquery("imported")
    )
    since_import = sa.and_(
        _transcription.page_id == imported.c.page_id, _transcription.number >= imported.c.number
    )
    lines = (
        sa.select(_line.page_id, _line.geometry_sha256)
        .select_from(
            imported.join(transcription, since_import).join(line, _line.transcription_id == _transcription.id)
        )
        .where(_line.user_id == user_id)
    )
    return sa.and_(
        _correction.page_id.in_(sa.select(imported.c.page_id)),
        sa.tuple_(_correction.page_id, _correction.geometry_sha256).not_in(lines),
    )


async def count_ground_truth(transaction: Transaction, user_id: UUID) -> int:
    """Count the verified lines of the user's pages: those whose latest correction is not quarantined."""
    latest = latest_corrections(user_id)
    query = sa.select(sa.func.count()).select_from(latest).where(latest.c.quarantine.is_(None))
    return int((await transaction.execute(query)).scalar_one())


async def last_traceparent(transaction: Transaction, user_id: UUID) -> str:
    """Return the trace of the request that stored the user's last corrections; empty where there is none."""
    query = sa.select(_feedback.traceparent).where(_feedback.user_id == user_id)
    return await transaction.scalar(query.order_by(_feedback.created_at.desc()).limit(1)) or ""


async def insert_feedback(
    transaction: Transaction,
    user_id: UUID,
    page: Page,
    accepted: Sequence[Correction],
    unaligned: Sequence[UnalignedLine],
    request: RequestKey,
) -> Feedback | None:
    """Insert a feedback with its corrections; None when the same request has inserted one concurrently.

    The page must be locked, because each correction refers to the one before it. The count of ground truth
    includes the other pages as they were at the start: it misses what is stored on them concurrently.
    """
    known_lines = await count_ground_truth(transaction, user_id)
    latest = await _latest_by_line(transaction, user_id, [new.line_id for new in accepted])
    replaced = sum(row.correction_id is not None and row.quarantine is None for row in latest.values())
    added = sum(new.quarantine is None for new in accepted)
    total = known_lines - replaced + added
    feedback_id = uuid4()
    on_page = {"user_id": user_id, "page_id": page.page_id, "project_id": page.project_id}
    values = {
        "id": feedback_id,
        "accepted_lines": len(accepted),
        "unaligned": [(item.text, str(item.line_id or ""), item.reason) for item in unaligned],
        "ground_truth_lines": total,
        "request_id": request.request_id or None,
        "request_sha256": request.sha256 or None,
        "traceparent": traceparent() or None,
    }
    query = pg.insert(feedback).values(**on_page, **values).on_conflict_do_nothing().returning(_feedback.id)
    if (await transaction.execute(query)).first() is None:
        return None
    if accepted:
        rows = [
            _values(new, latest[new.line_id]) | {"feedback_id": feedback_id, **on_page} for new in accepted
        ]
        await transaction.execute(correction.insert(), rows)
    quarantined = tuple(new for new in accepted if new.quarantine is not None)
    return Feedback(feedback_id, len(accepted), tuple(unaligned), total, quarantined)


def _values(new: Correction, latest: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of `_latest_by_line`
    """Return the column values of a correction that supersedes the latest one of its line."""
    return {
        "id": uuid4(),
        "line_id": new.line_id,
        "geometry_sha256": latest.geometry_sha256,
        "text": new.text,
        "supersedes": latest.correction_id,
        "quarantine": new.quarantine and new.quarantine.code,
        "quarantine_reason": new.quarantine and new.quarantine.reason,
        "confirmed": new.confirmed,
        "origin": new.origin,
    }


async def _latest_by_line(
    transaction: Transaction, user_id: UUID, line_ids: Sequence[UUID]
) -> dict[UUID, Any]:
    """Return for each line its geometry digest, and id and quarantine of its latest correction, if any."""
    same_line = sa.and_(
        _correction.page_id == _line.page_id, _correction.geometry_sha256 == _line.geometry_sha256
    )
    query = (
        sa.select(
            _line.id, _line.geometry_sha256, _correction.id.label("correction_id"), _correction.quarantine
        )
        .select_from(line.outerjoin(correction, same_line))
        .where(_line.user_id == user_id, _line.id.in_(line_ids))
        .order_by(_line.id, _correction.number.desc())
        .ext(pg.distinct_on(_line.id))
    )
    return {row.id: row for row in await transaction.execute(query)}
