"""Repeated requests."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_common.errors import Conflict
from ketav_registry.database import Transaction
from ketav_registry.domain.requests import RequestKey
from ketav_registry.tables import done_request

_done = done_request.c
_KEPT_FOR = timedelta(days=30)
"""Time for which the key of a request that was done is stored: a client repeats one within minutes."""


def check_same_request(row: Any, request: RequestKey) -> None:  # noqa: ANN401 - a row with request columns
    """Raise Conflict if the row was created by a different request with the same Idempotency-Key.

    A row without a digest accepts any request: the client sent none, or the row is older than the column.
    """
    if row.request_sha256 is not None and row.request_sha256 != request.sha256:
        raise Conflict(
            "The Idempotency-Key belongs to a different request. Send a new key with each new request.",
            code="idempotency-key-reused",
            details={"pointer": "Idempotency-Key"},
        )


async def insert_done(transaction: Transaction, user_id: UUID, request: RequestKey) -> bool:
    """Insert the key of a request that this transaction does; return whether it is new.

    While another transaction does a request with the same key, this one waits for its end. A request without
    a key is new. Conflict: a different request had the same key.
    """
    if not request.request_id:
        return True
    expired = _done.created_at < sa.func.clock_timestamp() - _KEPT_FOR
    await transaction.execute(done_request.delete().where(_done.user_id == user_id, expired))
    values = {
        "user_id": user_id,
        "request_id": request.request_id,
        "request_sha256": request.sha256 or None,
    }
    insert = pg.insert(done_request).values(**values).on_conflict_do_nothing()
    if (await transaction.execute(insert.returning(_done.request_id))).first() is not None:
        return True
    return not await is_done(transaction, user_id, request)


async def is_done(transaction: Transaction, user_id: UUID, request: RequestKey) -> bool:
    """Return whether the same request was done. Conflict: a different request had the same key."""
    if not request.request_id:
        return False
    query = sa.select(_done.request_sha256).where(
        _done.user_id == user_id, _done.request_id == request.request_id
    )
    row = (await transaction.execute(query)).first()
    if row is None:
        return False
    check_same_request(row, request)
    return True
