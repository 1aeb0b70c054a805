"""The caller's webhook: set, shown, tested and deleted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from ketav.registry.v1 import webhooks_pb2
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway, count_compute_request
from ketav_gateway.http.idempotency import IdempotencyKey
from ketav_gateway.http.problem_codes import JSON_BODY
from ketav_gateway.http.problems import responses
from ketav_gateway.services import call
from ketav_gateway.webhooks import convert, schemas

router = APIRouter(prefix="/webhook", tags=["webhooks"])


@router.put(
    "",
    responses=responses(*JSON_BODY, "invalid-url"),
    openapi_extra=body_description(schemas.SetWebhookRequest),
    summary="Set your webhook",
)
async def set_webhook(
    gateway: Gateway,
    body: Annotated[schemas.SetWebhookRequest, Depends(json_body(schemas.SetWebhookRequest))],
) -> schemas.WebhookWithSecret:
    """Set your webhook, replacing an earlier one. Ketav sends it an event when a training run ends.

    Requests are signed as standardwebhooks.com describes; only this response contains the secret.
    """
    request = webhooks_pb2.SetWebhookRequest(url=body.url)
    response = await call(gateway.services.webhooks.SetWebhook, request, gateway.services.deadlines.short_s)
    return convert.webhook_with_secret(response)


@router.get("", responses=responses("not-found"), summary="Show your webhook")
async def get_webhook(gateway: Gateway) -> schemas.Webhook:
    """Return your webhook with its latest deliveries."""
    request = webhooks_pb2.GetWebhookRequest()
    response = await call(gateway.services.webhooks.GetWebhook, request, gateway.services.deadlines.short_s)
    return convert.webhook(response.webhook)


@router.delete(
    "",
    status_code=204,
    responses=responses("not-found", more={204: {"description": "The webhook is deleted."}}),
    summary="Delete your webhook",
)
async def delete_webhook(gateway: Gateway) -> Response:
    """Delete your webhook and its pending deliveries."""
    request = webhooks_pb2.DeleteWebhookRequest()
    await call(gateway.services.webhooks.DeleteWebhook, request, gateway.services.deadlines.short_s)
    return Response(status_code=204)


@router.post(
    "/test",
    status_code=202,
    responses=responses("malformed-idempotency-key", "not-found", "webhook-disabled", "too-many-deliveries"),
    dependencies=[Depends(count_compute_request)],
    summary="Test your webhook",
)
async def test_webhook(gateway: Gateway, key: IdempotencyKey) -> schemas.TestDelivery:
    """Queue a `webhook.test` event; `GET /webhook` shows its delivery."""
    request = webhooks_pb2.TestWebhookRequest(request_id=key)
    response = await call(gateway.services.webhooks.TestWebhook, request, gateway.services.deadlines.short_s)
    return schemas.TestDelivery(delivery_id=response.delivery_id)
