from typing import Any

import httpx
from ketav_client.call import Call

from ...models.set_webhook_request import SetWebhookRequest
from ...models.webhook_with_secret import WebhookWithSecret


def _parse(response: httpx.Response) -> WebhookWithSecret:
    response_200 = WebhookWithSecret.from_dict(response.json())

    return response_200


def set_webhook(
    *,
    body: SetWebhookRequest,
) -> Call[WebhookWithSecret]:
    """Set your webhook.

    Set your webhook, replacing an earlier one. Ketav sends it an event when a training run ends.

    Requests are signed as standardwebhooks.com describes; only this response contains the secret.

    Args:
        body (SetWebhookRequest): The receiver of the events. Example: {'url':
            'https://example.org/ketav'}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "put",
        "/webhook",
        _parse,
        _kwargs,
    )
