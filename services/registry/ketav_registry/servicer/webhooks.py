"""WebhookService."""

from ketav.registry.v1 import webhooks_pb2 as pb
from ketav.registry.v1 import webhooks_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.convert import common
from ketav_registry.convert import webhooks as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import webhooks


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """Webhooks and their deliveries."""

    def __init__(self, stores: Stores, *, private: bool) -> None:
        """Work with these stores; `private` allows webhooks to private addresses."""
        self._stores = stores
        self._private = private

    async def SetWebhook(self, request: pb.SetWebhookRequest, context: object) -> pb.SetWebhookResponse:
        """Set the caller's webhook."""
        new = await webhooks.set_webhook(
            current_user(), request.url, private=self._private, stores=self._stores
        )
        return pb.SetWebhookResponse(webhook=convert.webhook_message(new.webhook), secret=new.secret)

    async def GetWebhook(self, request: pb.GetWebhookRequest, context: object) -> pb.GetWebhookResponse:
        """Return the caller's webhook."""
        webhook = await webhooks.get_webhook(current_user(), stores=self._stores)
        return pb.GetWebhookResponse(webhook=convert.webhook_message(webhook))

    async def DeleteWebhook(
        self, request: pb.DeleteWebhookRequest, context: object
    ) -> pb.DeleteWebhookResponse:
        """Delete the caller's webhook."""
        await webhooks.delete_webhook(current_user(), stores=self._stores)
        return pb.DeleteWebhookResponse()

    async def TestWebhook(self, request: pb.TestWebhookRequest, context: object) -> pb.TestWebhookResponse:
        """Queue a test delivery."""
        delivery_id = await webhooks.test_webhook(current_user(), request.request_id, stores=self._stores)
        return pb.TestWebhookResponse(delivery_id=str(delivery_id))

    async def ClaimDeliveries(
        self, request: pb.ClaimDeliveriesRequest, context: object
    ) -> pb.ClaimDeliveriesResponse:
        """Claim due deliveries."""
        require_role("trainer")
        claimed = await webhooks.claim_deliveries(request.limit, stores=self._stores)
        return pb.ClaimDeliveriesResponse(
            deliveries=[convert.claimed_message(delivery) for delivery in claimed]
        )

    async def ReportDelivery(
        self, request: pb.ReportDeliveryRequest, context: object
    ) -> pb.ReportDeliveryResponse:
        """Record the result of an attempt."""
        require_role("trainer")
        delivery_id = common.uuid(request.delivery_id, "delivery_id")
        await webhooks.report_delivery(
            delivery_id, request.attempt, request.error, receiver_gone=request.gone, stores=self._stores
        )
        return pb.ReportDeliveryResponse()
