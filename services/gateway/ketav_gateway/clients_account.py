"""Calls to the registry about the caller's account; beside `clients`, which has the rest."""

import grpc

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc, erasure_pb2, webhooks_pb2, webhooks_pb2_grpc
from ketav_gateway.clients import Deadlines, asking


class Account:
    """The caller's account in the registry."""

    def __init__(self, channel: grpc.aio.Channel, deadlines: Deadlines) -> None:
        """Take an open channel to the registry and the seconds each kind of call may take."""
        self._accounts = accounts_pb2_grpc.AccountServiceStub(channel)
        self._webhooks = webhooks_pb2_grpc.WebhookServiceStub(channel)
        self._deadlines = deadlines

    async def delete_account(self) -> erasure_pb2.Erasure:
        """Delete the caller's account."""
        request = accounts_pb2.DeleteAccountRequest()
        with asking():
            return (await self._accounts.DeleteAccount(request, timeout=self._deadlines.store)).erasure

    async def set_webhook(self, url: str) -> webhooks_pb2.SetWebhookResponse:
        """Set the caller's webhook; the answer tells its secret, this once."""
        request = webhooks_pb2.SetWebhookRequest(url=url)
        with asking():
            return await self._webhooks.SetWebhook(request, timeout=self._deadlines.call)

    async def get_webhook(self) -> webhooks_pb2.Webhook:
        """Return the caller's webhook with its latest deliveries."""
        request = webhooks_pb2.GetWebhookRequest()
        with asking():
            return (await self._webhooks.GetWebhook(request, timeout=self._deadlines.call)).webhook

    async def delete_webhook(self) -> None:
        """Forget the caller's webhook."""
        request = webhooks_pb2.DeleteWebhookRequest()
        with asking():
            await self._webhooks.DeleteWebhook(request, timeout=self._deadlines.call)

    async def test_webhook(self, key: str) -> str:
        """Queue a delivery without a run, one for each Idempotency-Key; return its id."""
        request = webhooks_pb2.TestWebhookRequest(request_id=key)
        with asking():
            return (await self._webhooks.TestWebhook(request, timeout=self._deadlines.call)).delivery_id
