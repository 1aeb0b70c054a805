from typing import Any

import httpx
from ketav_client.call import Call

from ...models.webhook import Webhook


def _parse(response: httpx.Response) -> Webhook:
    response_200 = Webhook.from_dict(response.json())

    return response_200


def get_webhook() -> Call[Webhook]:
    """Show your webhook.

    Return your webhook with its latest deliveries.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/webhook",
        _parse,
        _kwargs,
    )
