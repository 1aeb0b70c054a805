"""Webhooks and the outbox of their deliveries."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain import webhooks as rules
from ketav_registry.domain.webhooks import Claimed, Delivery, DeliveryState, Webhook
from ketav_registry.tables import model_version, training_run, webhook, webhook_delivery

_d, _r, _w = webhook_delivery.c, training_run.c, webhook.c
_SHOWN = 10
_KEPT = timedelta(days=30)
_TOLD = ("state", "script", "verdict", "cer_base", "cer_candidate")
_WAITING = _d.state == DeliveryState.WAITING


async def keep(transaction: Transaction, user_id: UUID, url: str, secret: str) -> None:
    """Store a user's webhook in the place of an earlier one; what waits goes to the new one."""
    values = {"url": url, "secret": secret, "disabled_reason": "", "created_at": sa.func.clock_timestamp()}
    upsert = pg.insert(webhook).values(user_id=user_id, **values)
    await transaction.execute(upsert.on_conflict_do_update(index_elements=[_w.user_id], set_=values))


async def find(transaction: Transaction, user_id: UUID) -> Webhook | None:
    """Return a user's webhook with its latest deliveries."""
    row = (await transaction.execute(webhook.select().where(_w.user_id == user_id))).first()
    if row is None:
        return None
    query = (
        webhook_delivery.select().where(_d.user_id == user_id).order_by(_d.created_at.desc()).limit(_SHOWN)
    )
    deliveries = tuple(
        Delivery(each.id, each.event, each.state, each.attempts, each.error, each.created_at)
        for each in await transaction.execute(query)
    )
    return Webhook(row.url, row.disabled_reason, row.created_at, deliveries)


async def forget(transaction: Transaction, user_id: UUID) -> bool:
    """Delete a user's webhook with its deliveries; False: there is none."""
    return bool((await transaction.execute(webhook.delete().where(_w.user_id == user_id))).rowcount)


async def count_waiting(transaction: Transaction, user_id: UUID) -> int:
    """Count what waits to be delivered to a user."""
    query = sa.select(sa.func.count()).select_from(webhook_delivery).where(_d.user_id == user_id, _WAITING)
    return int((await transaction.execute(query)).scalar_one())


async def is_queued(transaction: Transaction, delivery_id: UUID) -> bool:
    """Tell whether there is a delivery already."""
    query = sa.select(sa.exists().where(_d.id == delivery_id))
    return bool((await transaction.execute(query)).scalar_one())


async def queue_test(transaction: Transaction, user_id: UUID, delivery_id: UUID) -> None:
    """Queue a delivery without a run, unless there is one of that id."""
    values = {"id": delivery_id, "user_id": user_id, "event": rules.TEST_EVENT}
    await transaction.execute(pg.insert(webhook_delivery).values(**values).on_conflict_do_nothing())


async def claim(transaction: Transaction, limit: int) -> list[Claimed]:
    """Take deliveries that are due, for the length of a lease; old ones that have ended are dropped."""
    old = _d.created_at < sa.func.clock_timestamp() - _KEPT
    await transaction.execute(webhook_delivery.delete().where(~_WAITING, old))
    due = (
        sa.select(_d.id)
        .where(_WAITING, _d.due_at <= sa.func.clock_timestamp())
        .order_by(_d.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        webhook_delivery.update()
        .where(_d.id.in_(due))
        .values(attempts=_d.attempts + 1, due_at=sa.func.clock_timestamp() + rules.LEASE)
        .returning(_d.id)
    )
    ids = list(await transaction.scalars(taken))
    query = (
        sa.select(
            webhook_delivery,
            _w.url,
            _w.secret,
            *(_r[name].label(f"run_{name}") for name in _TOLD),
            model_version.c.version,
        )
        .join(webhook, _w.user_id == _d.user_id)
        .outerjoin(training_run, _r.id == _d.run_id)
        .outerjoin(model_version, model_version.c.run_id == _d.run_id)
        .where(_d.id.in_(ids))
        .order_by(_d.created_at)
    )
    return [_claimed(row) for row in await transaction.execute(query)]


def _claimed(row: Any) -> Claimed:  # noqa: ANN401 - a row of the query above
    """Read a delivery with what it says; an ended run never changes, so neither does the body."""
    run = None
    if row.run_id is not None:
        run = {
            "run_id": str(row.run_id),
            "state": row.run_state,
            "script": row.run_script,
            "verdict": row.run_verdict,
            "cer_before": row.run_cer_base,
            "cer_after": row.run_cer_candidate,
            "model_version": row.version,
        }
    body = rules.body_of(row.event, row.created_at, run)
    return Claimed(row.id, row.attempts, row.url, row.secret, body)


async def end(
    transaction: Transaction, delivery_id: UUID, attempt: int, values: dict[str, Any]
) -> UUID | None:
    """Write how a try ended; None when it was taken again meanwhile. Returns whose it is."""
    query = (
        webhook_delivery.update()
        .where(_d.id == delivery_id, _d.attempts == attempt, _WAITING)
        .values(**values)
        .returning(_d.user_id)
    )
    found: UUID | None = (await transaction.execute(query)).scalar()
    return found


async def disable(transaction: Transaction, user_id: UUID, reason: str) -> None:
    """Send nothing more to a webhook; what waits for it has failed."""
    await transaction.execute(webhook.update().where(_w.user_id == user_id).values(disabled_reason=reason))
    await transaction.execute(
        webhook_delivery.update()
        .where(_d.user_id == user_id, _WAITING)
        .values(state=DeliveryState.FAILED, error="The webhook was disabled.")
    )
