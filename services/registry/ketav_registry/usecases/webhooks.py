"""Setting webhooks, and handing deliveries to who sends them."""

import base64
import secrets
from typing import Any
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa

from ketav_common import text
from ketav_common.errors import InvalidInput, NotFound, Precondition, Stale
from ketav_common.limits import MAX_CLAIMED_DELIVERIES
from ketav_common.logging import get_logger
from ketav_registry.database import Database
from ketav_registry.domain import webhooks as rules
from ketav_registry.domain.webhooks import Claimed, DeliveryState, Webhook
from ketav_registry.repository import webhooks

log = get_logger()

_NO_WEBHOOK = "there is no webhook"
_SECRET_BYTES = 32
_MAX_ERROR = 300


async def set_webhook(user_id: UUID, url: str, *, private: bool, database: Database) -> tuple[Webhook, str]:
    """Set a user's webhook and make its secret. InvalidInput invalid-url: nothing is sent there."""
    rules.check_url(url, private=private)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    async with database.user(user_id) as transaction:
        await webhooks.keep(transaction, user_id, url, secret)
        found = await webhooks.find(transaction, user_id)
    if found is None:
        raise NotFound(_NO_WEBHOOK)
    return found, secret


async def get_webhook(user_id: UUID, *, database: Database) -> Webhook:
    """Return a user's webhook with its latest deliveries. NotFound: there is none."""
    async with database.user(user_id) as transaction:
        found = await webhooks.find(transaction, user_id)
    if found is None:
        raise NotFound(_NO_WEBHOOK)
    return found


async def delete_webhook(user_id: UUID, *, database: Database) -> None:
    """Forget a user's webhook and what waits for it. NotFound: there is none."""
    async with database.user(user_id) as transaction:
        if not await webhooks.forget(transaction, user_id):
            raise NotFound(_NO_WEBHOOK)


async def test_webhook(user_id: UUID, key: str, *, database: Database) -> UUID:
    """Queue a delivery without a run, one for each non-empty Idempotency-Key; return its id.

    Precondition: the webhook is disabled, or too much waits for it.
    """
    delivery_id = uuid5(user_id, key) if key else uuid4()
    async with database.user(user_id) as transaction:
        found = await webhooks.find(transaction, user_id)
        if found is None:
            raise NotFound(_NO_WEBHOOK)
        if await webhooks.is_queued(transaction, delivery_id):
            return delivery_id
        if found.disabled_reason:
            raise Precondition("the webhook is disabled; set it again", code="webhook-disabled")
        if await webhooks.count_waiting(transaction, user_id) >= rules.MAX_WAITING:
            raise Precondition("too much waits to be delivered", code="too-many-deliveries")
        await webhooks.queue_test(transaction, user_id, delivery_id)
    return delivery_id


async def claim_deliveries(limit: int, *, database: Database) -> list[Claimed]:
    """Take deliveries that are due, for a minute each."""
    if not 1 <= limit <= MAX_CLAIMED_DELIVERIES:
        raise InvalidInput(f"a limit is 1 to {MAX_CLAIMED_DELIVERIES}", code="invalid-limit")
    async with database.system() as transaction:
        return await webhooks.claim(transaction, limit)


async def report_delivery(
    delivery_id: UUID, attempt: int, error: str, *, gone: bool, database: Database
) -> None:
    """Note how a try ended; after the last one, or when the receiver is gone, the webhook is disabled.

    Stale: the delivery was taken again since.
    """
    reason = text.clean(error[:_MAX_ERROR])
    pause = None if gone else rules.pause_after(attempt)
    values: dict[str, Any] = {"error": reason}
    if not reason:
        values["state"] = DeliveryState.DELIVERED
    elif pause is None:
        values["state"] = DeliveryState.FAILED
    else:
        values["due_at"] = sa.func.clock_timestamp() + pause
    async with database.system() as transaction:
        user_id = await webhooks.end(transaction, delivery_id, attempt, values)
        if user_id is None:
            raise Stale("the delivery was taken again", code="stale-delivery")
        if reason and pause is None:
            said = "The receiver is gone." if gone else f"Given up after {attempt} tries: {reason}"
            await webhooks.disable(transaction, user_id, said)
            log.info("webhook_disabled", attempts=attempt, gone=gone)
