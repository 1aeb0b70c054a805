from typing import Any

import httpx
from ketav_client.call import Call

from ...models.test_delivery import TestDelivery
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> TestDelivery:
    response_202 = TestDelivery.from_dict(response.json())

    return response_202


def test_webhook(
    *,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[TestDelivery]:
    """Test your webhook.

    Queue a `webhook.test` event; `GET /webhook` shows its delivery.

    Args:
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["headers"] = headers
    return Call(
        "post",
        "/webhook/test",
        _parse,
        _kwargs,
    )
