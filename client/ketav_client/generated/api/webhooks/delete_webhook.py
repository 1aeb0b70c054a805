from typing import Any

import httpx
from ketav_client.call import Call


def _parse(response: httpx.Response) -> None:
    return None


def delete_webhook() -> Call[None]:
    """Delete your webhook.

    Delete your webhook and its pending deliveries.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/webhook",
        _parse,
        _kwargs,
    )
