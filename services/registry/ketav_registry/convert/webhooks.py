"""Conversion of webhooks and deliveries."""

from ketav.registry.v1 import webhooks_pb2
from ketav_registry.convert import common
from ketav_registry.domain.webhooks import ClaimedDelivery, Delivery, DeliveryState, Webhook

_STATES = {state: webhooks_pb2.DeliveryState.Value(f"DELIVERY_STATE_{state.name}") for state in DeliveryState}


def webhook_message(webhook: Webhook) -> webhooks_pb2.Webhook:
    """Return the message of a webhook with its latest deliveries."""
    return webhooks_pb2.Webhook(
        url=webhook.url,
        disabled_reason=webhook.disabled_reason,
        create_time=common.timestamp(webhook.create_time),
        deliveries=[_delivery_message(delivery) for delivery in webhook.deliveries],
    )


def _delivery_message(delivery: Delivery) -> webhooks_pb2.WebhookDelivery:
    """Return the message of a delivery."""
    return webhooks_pb2.WebhookDelivery(
        delivery_id=str(delivery.delivery_id),
        event=delivery.event,
        state=_STATES[delivery.state],
        attempts=delivery.attempts,
        error=delivery.error,
        create_time=common.timestamp(delivery.create_time),
    )


def claimed_message(claimed: ClaimedDelivery) -> webhooks_pb2.ClaimedDelivery:
    """Return the message of a claimed delivery."""
    return webhooks_pb2.ClaimedDelivery(
        delivery_id=str(claimed.delivery_id),
        attempt=claimed.attempt,
        url=claimed.url,
        secret=claimed.secret,
        body=claimed.body,
    )
