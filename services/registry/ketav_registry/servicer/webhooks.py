"""WebhookService."""

from ketav.registry.v1 import webhooks_pb2 as pb
from ketav.registry.v1 import webhooks_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.convert import common
from ketav_registry.convert import webhooks as convert
from ketav_registry.database import Database
from ketav_registry.usecases import webhooks


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """Webhooks and their deliveries."""

    def __init__(self, database: Database, *, private: bool) -> None:
        """Take what the use cases need, and whether webhooks may go to private addresses."""
        self._database = database
        self._private = private

    async def SetWebhook(self, request: pb.SetWebhookRequest, context: object) -> pb.SetWebhookResponse:
        """Set the caller's webhook."""
        found, secret = await webhooks.set_webhook(
            current_user(), request.url, private=self._private, database=self._database
        )
        return pb.SetWebhookResponse(webhook=convert.webhook(found), secret=secret)

    async def GetWebhook(self, request: pb.GetWebhookRequest, context: object) -> pb.GetWebhookResponse:
        """Return the caller's webhook."""
        found = await webhooks.get_webhook(current_user(), database=self._database)
        return pb.GetWebhookResponse(webhook=convert.webhook(found))

    async def DeleteWebhook(
        self, request: pb.DeleteWebhookRequest, context: object
    ) -> pb.DeleteWebhookResponse:
        """Forget the caller's webhook."""
        await webhooks.delete_webhook(current_user(), database=self._database)
        return pb.DeleteWebhookResponse()

    async def TestWebhook(self, request: pb.TestWebhookRequest, context: object) -> pb.TestWebhookResponse:
        """Queue a delivery without a run."""
        delivery_id = await webhooks.test_webhook(current_user(), request.request_id, database=self._database)
        return pb.TestWebhookResponse(delivery_id=str(delivery_id))

    async def ClaimDeliveries(
        self, request: pb.ClaimDeliveriesRequest, context: object
    ) -> pb.ClaimDeliveriesResponse:
        """Hand out deliveries that are due."""
        require_role("trainer")
        return convert.claimed(await webhooks.claim_deliveries(request.limit, database=self._database))

    async def ReportDelivery(
        self, request: pb.ReportDeliveryRequest, context: object
    ) -> pb.ReportDeliveryResponse:
        """Note how a try ended."""
        require_role("trainer")
        delivery_id, how = common.uuid(request.delivery_id, "delivery"), (request.attempt, request.error)
        await webhooks.report_delivery(delivery_id, *how, gone=request.gone, database=self._database)
        return pb.ReportDeliveryResponse()
