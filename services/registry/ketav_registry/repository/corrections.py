"""Corrections. They are append-only; each supersedes the previous correction of the same line."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_common.tracing import traceparent
from ketav_registry.database import Transaction
from ketav_registry.domain.corrections import (
    Correction,
    Feedback,
    RefusedLine,
    UnalignedLine,
    UntrainedLine,
)
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.pages import Page
from ketav_registry.domain.requests import RequestKey
from ketav_registry.repository.members import MEMBER_ID
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
    refused = tuple(
        RefusedLine(UUID(line_id) if line_id else None, number, code, detail)
        for line_id, number, code, detail in row.refused
    )
    untrained = tuple(UntrainedLine(UUID(line_id), reason) for line_id, reason in row.untrained)
    return Feedback(
        row.id, row.accepted_lines, unaligned, row.ground_truth_lines, quarantined, refused, untrained
    )


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


AUTHOR_ID: sa.ColumnElement[UUID] = sa.func.coalesce(_feedback.member_id, _feedback.user_id)
"""The user who submitted a feedback: a member of the project, or its owner."""
AUTHOR_FEEDBACK: sa.ColumnElement[UUID] = sa.func.coalesce(
    _correction.author_feedback_id, _correction.feedback_id
)
"""The feedback whose author wrote the text of a correction: not the one that restored it."""
DECIDES: sa.ColumnElement[bool] = sa.or_(_correction.quarantine.is_(None), _correction.confirmed)
"""Condition of a correction that decides the text of its line: a quarantined one leaves the earlier ones in
force, unless the user confirms that the line has no text, or withdraws."""


def latest_corrections(user_id: UUID, *, deciding: bool = True) -> sa.Subquery:
    """Return a subquery for the latest correction of every line of the user's pages that decides its text.

    It is quarantined where the line has no text. With `deciding` false, any correction is the latest. A line
    that a later import of its page leaves out has none, unless a transcription after it has the line.
    """
    query = correction.select().where(_correction.user_id == user_id, ~_is_removed_by_import(user_id))
    if deciding:
        query = query.where(DECIDES)
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
    """Count the verified lines of the user's pages: those whose text a correction decides."""
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
    *,
    refused: Sequence[RefusedLine] = (),
    untrained: Sequence[UntrainedLine] = (),
) -> Feedback | None:
    """Insert a feedback with its corrections; None when the same request has inserted one concurrently.

    The page must be locked, because each correction refers to the one before it. The count of ground truth
    includes the other pages as they were at the start: it misses what is stored on them concurrently.
    """
    known_lines = await count_ground_truth(transaction, user_id)
    latest = await _latest_by_line(transaction, user_id, [new.line_id for new in accepted])
    total = known_lines + sum(_added(new, verified=latest[new.line_id].verified) for new in accepted)
    feedback_id = uuid4()
    on_page = {"user_id": user_id, "page_id": page.page_id, "project_id": page.project_id}
    values = {
        "id": feedback_id,
        "member_id": MEMBER_ID,
        "accepted_lines": len(accepted),
        "unaligned": [(item.text, str(item.line_id or ""), item.reason) for item in unaligned],
        "refused": [(str(item.line_id or ""), item.number, item.code, item.detail) for item in refused],
        "untrained": [(str(item.line_id), item.reason) for item in untrained],
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
    return Feedback(
        feedback_id,
        len(accepted),
        tuple(unaligned),
        total,
        quarantined,
        tuple(refused),
        tuple(untrained),
    )


def _added(new: Correction, *, verified: bool) -> int:
    """Return by how much a correction changes the number of verified lines: 1, 0 or -1."""
    if new.quarantine is None:
        return 0 if verified else 1
    return -1 if verified and new.confirmed else 0


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
        "author_feedback_id": new.author_feedback_id,
        "withdrawn": new.withdrawn,
        "withdrawn_by_edit": new.withdrawn_by_edit,
    }


async def _latest_by_line(
    transaction: Transaction, user_id: UUID, line_ids: Sequence[UUID]
) -> dict[UUID, Any]:
    """Return for each line its geometry digest, the id of its latest correction, and if it is verified."""
    same_line = sa.and_(
        _correction.page_id == _line.page_id, _correction.geometry_sha256 == _line.geometry_sha256
    )
    older = correction.alias("older")
    decides = sa.or_(older.c.quarantine.is_(None), older.c.confirmed)
    verified = (
        sa.select(older.c.quarantine.is_(None))
        .where(older.c.page_id == _line.page_id, older.c.geometry_sha256 == _line.geometry_sha256, decides)
        .order_by(older.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(
            _line.id,
            _line.geometry_sha256,
            _correction.id.label("correction_id"),
            sa.func.coalesce(verified, sa.false()).label("verified"),
        )
        .select_from(line.outerjoin(correction, same_line))
        .where(_line.user_id == user_id, _line.id.in_(line_ids))
        .order_by(_line.id, _correction.number.desc())
        .ext(pg.distinct_on(_line.id))
    )
    return {row.id: row for row in await transaction.execute(query)}
