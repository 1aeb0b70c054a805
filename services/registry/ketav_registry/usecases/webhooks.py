"""Webhooks of users, and the deliveries that the trainer sends."""

import base64
import secrets
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from ketav_common import text
from ketav_common.errors import InvalidInput, NotFound, Precondition, Stale
from ketav_common.limits import MAX_CLAIMED_DELIVERIES
from ketav_common.logging import get_logger
from ketav_registry import metrics
from ketav_registry.database import Transaction
from ketav_registry.domain.webhooks import (
    MAX_WAITING_DELIVERIES,
    ClaimedDelivery,
    DeliveryState,
    Webhook,
    check_url,
    retry_delay,
)
from ketav_registry.repository import webhooks
from ketav_registry.stores import Stores

log = get_logger()

_NO_WEBHOOK = "This account has no webhook. Set one with PUT /webhook."
_SECRET_BYTES = 32
"""Random bytes of a secret: Standard Webhooks asks for 24 to 64."""
_MAX_ERROR_CHARACTERS = 300
"""Characters of an error that are stored."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook with its secret, which only the response to its creation contains."""

    webhook: Webhook
    secret: str


async def _require_webhook(transaction: Transaction, user_id: UUID) -> Webhook:
    """Return a user's webhook. NotFound: there is none."""
    webhook = await webhooks.find_webhook(transaction, user_id)
    if webhook is None:
        raise NotFound(_NO_WEBHOOK, code="no-webhook")
    return webhook


async def set_webhook(user_id: UUID, url: str, *, private: bool, stores: Stores) -> NewWebhook:
    """Set a user's webhook and generate its secret. InvalidInput invalid-url: no webhook may go there.

    `private` allows private addresses.
    """
    check_url(url, private=private)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    async with stores.database.user(user_id) as transaction:
        await webhooks.set_webhook(transaction, user_id, url, secret)
        webhook = await _require_webhook(transaction, user_id)
    return NewWebhook(webhook, secret)


async def get_webhook(user_id: UUID, *, stores: Stores) -> Webhook:
    """Return a user's webhook with its latest deliveries. NotFound: there is none."""
    async with stores.database.user(user_id) as transaction:
        return await _require_webhook(transaction, user_id)


async def delete_webhook(user_id: UUID, *, stores: Stores) -> None:
    """Delete a user's webhook and its deliveries. NotFound: there is none."""
    async with stores.database.user(user_id) as transaction:
        if not await webhooks.delete_webhook(transaction, user_id):
            raise NotFound(_NO_WEBHOOK, code="no-webhook")


async def test_webhook(user_id: UUID, request_id: str, *, stores: Stores) -> UUID:
    """Queue a delivery without a run, one for each non-empty Idempotency-Key; return its id.

    NotFound: there is no webhook. Precondition webhook-disabled, too-many-deliveries.
    """
    delivery_id = uuid5(user_id, request_id) if request_id else uuid4()
    async with stores.database.user(user_id) as transaction:
        webhook = await _require_webhook(transaction, user_id)
        if await webhooks.delivery_exists(transaction, delivery_id):
            return delivery_id
        if webhook.disabled_reason:
            raise Precondition(
                "The webhook is disabled. Set it again with PUT /webhook.", code="webhook-disabled"
            )
        if await webhooks.count_waiting(transaction, user_id) >= MAX_WAITING_DELIVERIES:
            raise Precondition(
                f"{MAX_WAITING_DELIVERIES} deliveries are waiting. Try again when they are delivered.",
                code="too-many-deliveries",
            )
        await webhooks.insert_test_delivery(transaction, user_id, delivery_id)
    return delivery_id


async def claim_deliveries(limit: int, *, stores: Stores) -> list[ClaimedDelivery]:
    """Claim at most `limit` due deliveries, each for one minute.

    InvalidInput invalid-limit: the limit is outside 1 to MAX_CLAIMED_DELIVERIES.
    """
    if not 1 <= limit <= MAX_CLAIMED_DELIVERIES:
        raise InvalidInput(
            f"The limit is {limit}. Claim 1 to {MAX_CLAIMED_DELIVERIES} deliveries.", code="invalid-limit"
        )
    async with stores.database.system() as transaction:
        return await webhooks.claim(transaction, limit)


async def report_delivery(
    delivery_id: UUID, attempt: int, error: str, *, receiver_gone: bool, stores: Stores
) -> None:
    """Store the result of an attempt; an empty error is a success.

    The webhook is disabled after the last attempt, or when the receiver answered 410 Gone (`receiver_gone`).
    Stale stale-delivery: another claim has replaced this attempt.
    """
    reason = text.clean(error[:_MAX_ERROR_CHARACTERS])
    delay = retry_delay(attempt) if reason and not receiver_gone else None
    state = DeliveryState.FAILED if reason else DeliveryState.DELIVERED
    if delay is not None:
        state = DeliveryState.WAITING
    async with stores.database.system() as transaction:
        user_id = await webhooks.record_attempt(transaction, delivery_id, attempt, state, reason, delay)
        if user_id is None:
            raise Stale(
                "Another claim has replaced this attempt. Do not report it again.", code="stale-delivery"
            )
        if state is DeliveryState.FAILED:
            disabled_reason = (
                "The receiver answered 410 Gone. Set the webhook again when it is back."
                if receiver_gone
                else f"The delivery failed {attempt} times. Set the webhook again. The last error: {reason}"
            )
            if await webhooks.disable_webhook(transaction, user_id, delivery_id, disabled_reason):
                log.info("webhook_disabled", attempts=attempt, gone=receiver_gone)
    if state is not DeliveryState.WAITING:
        metrics.DELIVERIES.labels(state).inc()
        metrics.DELIVERY_ATTEMPTS.observe(attempt)
