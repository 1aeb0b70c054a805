"""Webhooks from protobuf to JSON."""

from ketav.registry.v1 import webhooks_pb2
from ketav_gateway.convert import enum_name, timestamp
from ketav_gateway.webhooks import schemas


def _delivery(message: webhooks_pb2.WebhookDelivery) -> schemas.WebhookDelivery:
    """Return a delivery."""
    return schemas.WebhookDelivery(
        delivery_id=message.delivery_id,
        event=message.event,
        state=enum_name(webhooks_pb2.DeliveryState, message.state, "DELIVERY_STATE_"),
        attempts=message.attempts,
        error=message.error or None,
        created_at=timestamp(message.create_time),
    )


def webhook(message: webhooks_pb2.Webhook) -> schemas.Webhook:
    """Return a webhook with its latest deliveries."""
    return schemas.Webhook(
        url=message.url,
        disabled_reason=message.disabled_reason or None,
        created_at=timestamp(message.create_time),
        deliveries=[_delivery(delivery) for delivery in message.deliveries],
    )


def webhook_with_secret(message: webhooks_pb2.SetWebhookResponse) -> schemas.WebhookWithSecret:
    """Return a webhook with the secret that was created for it."""
    return schemas.WebhookWithSecret(**webhook(message.webhook).model_dump(), secret=message.secret)
