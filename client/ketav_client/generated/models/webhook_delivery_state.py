from typing import Literal, cast

WebhookDeliveryState = Literal["delivered", "failed", "waiting"]


def check_webhook_delivery_state(value: str) -> WebhookDeliveryState:
    """Return the value: a newer server may send one that this client does not list."""
    return cast(WebhookDeliveryState, value)
