"""Webhooks and the outbox of their deliveries."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.webhooks import (
    LEASE,
    TEST_EVENT,
    ClaimedDelivery,
    Delivery,
    DeliveryState,
    Webhook,
    delivery_body,
)
from ketav_registry.repository.projects_hands import HAND_NAME
from ketav_registry.tables import hand, job, model_version, training_run, webhook, webhook_delivery

_delivery, _run, _job, _webhook = webhook_delivery.c, training_run.c, job.c, webhook.c
_MAX_LISTED_DELIVERIES = 10
"""Latest deliveries that a webhook lists."""
_MAX_AGE = timedelta(days=30)
"""Age after which deliveries that have ended are deleted."""
_RUN_COLUMNS = ("state", "script", "new_base", "verdict", "cer_base", "cer_candidate")
"""Columns of a run that its delivery contains."""
_JOB_COLUMNS = ("kind", "project_id", "state", "page_count", "pages_read", "pages_failed")
"""Columns of a job that its delivery contains."""
_IS_WAITING = _delivery.state == DeliveryState.WAITING


async def set_webhook(transaction: Transaction, user_id: UUID, url: str, secret: str) -> None:
    """Insert or replace a user's webhook; waiting deliveries go to the new one."""
    values = {"url": url, "secret": secret, "disabled_reason": "", "created_at": sa.func.clock_timestamp()}
    upsert = pg.insert(webhook).values(user_id=user_id, **values)
    await transaction.execute(upsert.on_conflict_do_update(index_elements=[_webhook.user_id], set_=values))


async def find_webhook(transaction: Transaction, user_id: UUID) -> Webhook | None:
    """Return a user's webhook with its latest deliveries."""
    row = (await transaction.execute(webhook.select().where(_webhook.user_id == user_id))).first()
    if row is None:
        return None
    query = (
        webhook_delivery.select()
        .where(_delivery.user_id == user_id)
        .order_by(_delivery.created_at.desc())
        .limit(_MAX_LISTED_DELIVERIES)
    )
    deliveries = tuple(
        Delivery(item.id, item.event, item.state, item.attempts, item.error, item.created_at)
        for item in await transaction.execute(query)
    )
    return Webhook(row.url, row.disabled_reason, row.created_at, deliveries)


async def delete_webhook(transaction: Transaction, user_id: UUID) -> bool:
    """Delete a user's webhook with its deliveries; False when there is none."""
    return bool((await transaction.execute(webhook.delete().where(_webhook.user_id == user_id))).rowcount)


async def count_waiting(transaction: Transaction, user_id: UUID) -> int:
    """Count a user's waiting deliveries."""
    query = sa.select(sa.func.count()).select_from(webhook_delivery)
    query = query.where(_delivery.user_id == user_id, _IS_WAITING)
    return int((await transaction.execute(query)).scalar_one())


async def delivery_exists(transaction: Transaction, delivery_id: UUID) -> bool:
    """Return whether a delivery exists."""
    query = sa.select(sa.exists().where(_delivery.id == delivery_id))
    return bool((await transaction.execute(query)).scalar_one())


async def insert_test_delivery(transaction: Transaction, user_id: UUID, delivery_id: UUID) -> None:
    """Insert a delivery without a run, unless it exists already."""
    values = {"id": delivery_id, "user_id": user_id, "event": TEST_EVENT}
    await transaction.execute(pg.insert(webhook_delivery).values(**values).on_conflict_do_nothing())


async def claim(transaction: Transaction, limit: int) -> list[ClaimedDelivery]:
    """Claim due deliveries for the length of a lease, and delete old ones that have ended."""
    is_old = _delivery.created_at < sa.func.clock_timestamp() - _MAX_AGE
    await transaction.execute(webhook_delivery.delete().where(~_IS_WAITING, is_old))
    due = (
        sa.select(_delivery.id)
        .where(_IS_WAITING, _delivery.due_at <= sa.func.clock_timestamp())
        .order_by(_delivery.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    update = (
        webhook_delivery.update()
        .where(_delivery.id.in_(due))
        .values(attempts=_delivery.attempts + 1, due_at=sa.func.clock_timestamp() + LEASE)
        .returning(_delivery.id)
    )
    ids = list(await transaction.scalars(update))
    query = (
        sa.select(
            webhook_delivery,
            _webhook.url,
            _webhook.secret,
            *(_run[name].label(f"run_{name}") for name in _RUN_COLUMNS),
            *(_job[name].label(f"job_{name}") for name in _JOB_COLUMNS),
            model_version.c.version,
            HAND_NAME,
        )
        .join(webhook, _webhook.user_id == _delivery.user_id)
        .outerjoin(training_run, _run.id == _delivery.run_id)
        .outerjoin(job, _job.id == _delivery.job_id)
        .outerjoin(model_version, model_version.c.run_id == _delivery.run_id)
        .outerjoin(hand, hand.c.id == _run.hand_id)
        .where(_delivery.id.in_(ids))
        .order_by(_delivery.created_at)
    )
    return [_claimed_delivery(row) for row in await transaction.execute(query)]


def _claimed_delivery(row: Any) -> ClaimedDelivery:  # noqa: ANN401 - a row of the query above
    """Return the delivery of a row.

    The body is rebuilt at each attempt and stays equal, because an ended run or job does not change; the name
    of a run's hand is deleted with the hand's last project. A test event is about neither.
    """
    data = None
    if row.run_id is not None:
        data = _run_data(row)
    elif row.job_id is not None:
        data = {"job_id": str(row.job_id)} | {name: getattr(row, f"job_{name}") for name in _JOB_COLUMNS}
        data["project_id"] = str(row.job_project_id)
    body = delivery_body(row.event, row.created_at, data)
    return ClaimedDelivery(row.id, row.attempts, row.url, row.secret, body)


def _run_data(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of the query above
    """Return what a delivery says about a run."""
    return {
        "run_id": str(row.run_id),
        "state": row.run_state,
        "script": row.run_script,
        "hand": row.hand_name or None,
        "new_base": row.run_new_base,
        "verdict": row.run_verdict,
        "cer_before": row.run_cer_base,
        "cer_after": row.run_cer_candidate,
        "model_version": row.version,
    }


async def record_attempt(
    transaction: Transaction,
    delivery_id: UUID,
    attempt: int,
    state: DeliveryState,
    error: str,
    retry_delay: timedelta | None,
) -> UUID | None:
    """Store the result of an attempt, with the delay of the next one while the delivery waits.

    Returns the user; None when another claim has replaced this attempt.
    """
    values: dict[str, Any] = {"state": state, "error": error}
    if retry_delay is not None:
        values["due_at"] = sa.func.clock_timestamp() + retry_delay
    query = (
        webhook_delivery.update()
        .where(_delivery.id == delivery_id, _delivery.attempts == attempt, _IS_WAITING)
        .values(**values)
        .returning(_delivery.user_id)
    )
    user_id: UUID | None = (await transaction.execute(query)).scalar()
    return user_id


async def disable_webhook(transaction: Transaction, user_id: UUID, delivery_id: UUID, reason: str) -> bool:
    """Disable the webhook that a delivery went to, and set its waiting deliveries to failed.

    False: the user has set another one since the delivery was claimed; its `due_at` is the end of the lease.
    """
    claimed_at = sa.select(_delivery.due_at - LEASE).where(_delivery.id == delivery_id).scalar_subquery()
    query = webhook.update().where(_webhook.user_id == user_id, _webhook.created_at <= claimed_at)
    if not (await transaction.execute(query.values(disabled_reason=reason))).rowcount:
        return False
    await transaction.execute(
        webhook_delivery.update()
        .where(_delivery.user_id == user_id, _IS_WAITING)
        .values(state=DeliveryState.FAILED, error="The webhook was disabled before this delivery was sent.")
    )
    return True
