"""The caller's webhook: told when a training has ended."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from ketav_gateway import convert_account as convert
from ketav_gateway import schemas_account as schemas
from ketav_gateway.bodies import described, json_body
from ketav_gateway.idempotency import RequestKey
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import spend_reading

router = APIRouter(prefix="/webhook", tags=["account"])


@router.put("", responses=responses(413, 415, 422), openapi_extra=described(schemas.WebhookRequest))
async def set_webhook(
    gateway: Gateway, body: Annotated[schemas.WebhookRequest, Depends(json_body(schemas.WebhookRequest))]
) -> schemas.WebhookSet:
    """Be told when a training has ended; the answer shows the secret of the signatures, this once."""
    return convert.webhook_set(await gateway.account.set_webhook(body.url))


@router.get("", responses=responses(404))
async def get_webhook(gateway: Gateway) -> schemas.WebhookAnswer:
    """Return your webhook, whether it is enabled, and its latest deliveries."""
    return convert.webhook(await gateway.account.get_webhook())


@router.delete("", status_code=204, responses=responses(404))
async def delete_webhook(gateway: Gateway) -> Response:
    """Send nothing more, and forget the webhook."""
    await gateway.account.delete_webhook()
    return Response(status_code=204)


@router.post("/test", status_code=202, responses=responses(404, 422), dependencies=[Depends(spend_reading)])
async def test_webhook(gateway: Gateway, key: RequestKey) -> schemas.WebhookTested:
    """Send a `webhook.test` event soon; `GET /webhook` says what came of it."""
    return schemas.WebhookTested(delivery_id=await gateway.account.test_webhook(key))
