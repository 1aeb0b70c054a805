"""Webhooks in memory."""

import base64
import secrets
from typing import Any
from uuid import UUID, uuid4, uuid5

from ketav.registry.v1 import webhooks_pb2, webhooks_pb2_grpc
from ketav_common.errors import InvalidInput, NotFound
from tests.parts.in_memory.state import TIME, State, User


def add_delivery(webhook: webhooks_pb2.Webhook, delivery_id: str, **fields: Any) -> None:
    """Add a delivery as the newest one."""
    defaults: dict[str, Any] = {
        "event": "webhook.test",
        "state": webhooks_pb2.DELIVERY_STATE_WAITING,
        "create_time": TIME,
    }
    delivery = webhooks_pb2.WebhookDelivery(delivery_id=delivery_id, **(defaults | fields))
    deliveries = [delivery, *webhook.deliveries]
    webhook.ClearField("deliveries")
    webhook.deliveries.extend(deliveries)


def _required_webhook(user: User) -> webhooks_pb2.Webhook:
    """Return the user's webhook; raises NotFound."""
    if user.webhook is None:
        raise NotFound("This account has no webhook. Set one with PUT /webhook.", code="no-webhook")
    return user.webhook


class Webhooks(webhooks_pb2_grpc.WebhookServiceServicer):
    """Sets, shows, tests and deletes webhooks. The gateway calls no method for deliveries."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    ClaimDeliveries = ReportDelivery = None  # type: ignore[assignment]

    async def SetWebhook(self, request: Any, context: Any) -> Any:
        """Set the caller's webhook and create its secret."""
        self.state.enter("SetWebhook", request)
        if not request.url.startswith("https://"):
            raise InvalidInput("The URL does not begin with https://. Send another.", code="invalid-url")
        user = self.state.caller()
        user.webhook = webhooks_pb2.Webhook(url=request.url, create_time=TIME)
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        return webhooks_pb2.SetWebhookResponse(webhook=user.webhook, secret=secret)

    async def GetWebhook(self, request: Any, context: Any) -> Any:
        """Return the caller's webhook."""
        self.state.enter("GetWebhook", request)
        return webhooks_pb2.GetWebhookResponse(webhook=_required_webhook(self.state.caller()))

    async def DeleteWebhook(self, request: Any, context: Any) -> Any:
        """Delete the caller's webhook."""
        self.state.enter("DeleteWebhook", request)
        user = self.state.caller()
        _required_webhook(user)
        user.webhook = None
        return webhooks_pb2.DeleteWebhookResponse()

    async def TestWebhook(self, request: Any, context: Any) -> Any:
        """Queue a test delivery, one for each Idempotency-Key."""
        self.state.enter("TestWebhook", request)
        user = self.state.caller()
        webhook = _required_webhook(user)
        key = request.request_id
        delivery_id = str(uuid5(UUID(user.user_id), key) if key else uuid4())
        if delivery_id not in {delivery.delivery_id for delivery in webhook.deliveries}:
            add_delivery(webhook, delivery_id)
        return webhooks_pb2.TestWebhookResponse(delivery_id=delivery_id)
