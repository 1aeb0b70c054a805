"""The account on the wire: between the contracts and the REST shapes."""

from typing import Any

from ketav.registry.v1 import erasure_pb2, webhooks_pb2
from ketav_gateway import schemas_account as schemas
from ketav_gateway.convert import moment, word


def erasure(done: erasure_pb2.Erasure) -> schemas.ErasureAnswer:
    """Return what a deletion did."""
    return schemas.ErasureAnswer(
        images=done.pages,
        lines=done.lines,
        corrections=done.corrections,
        tainted_versions=list(done.tainted_versions),
        cancelled_run_id=done.cancelled_run_id or None,
        retraining=done.retraining,
    )


def _webhook(found: webhooks_pb2.Webhook) -> dict[str, Any]:
    """Return a webhook's fields."""
    return {
        "url": found.url,
        "disabled_reason": found.disabled_reason or None,
        "created_at": moment(found.create_time),
        "deliveries": [
            schemas.WebhookDelivery(
                delivery_id=each.delivery_id,
                event=each.event,
                state=word(webhooks_pb2.DeliveryState, each.state, "DELIVERY_STATE_"),
                attempts=each.attempts,
                error=each.error or None,
                created_at=moment(each.create_time),
            )
            for each in found.deliveries
        ],
    }


def webhook(found: webhooks_pb2.Webhook) -> schemas.WebhookAnswer:
    """Return a webhook."""
    return schemas.WebhookAnswer(**_webhook(found))


def webhook_set(answer: webhooks_pb2.SetWebhookResponse) -> schemas.WebhookSet:
    """Return a webhook with its secret."""
    return schemas.WebhookSet(**_webhook(answer.webhook), secret=answer.secret)
