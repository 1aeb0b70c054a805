from typing import Any

import httpx
from ketav_client.call import Call

from ...models.health import Health


def _parse(response: httpx.Response) -> Health:
    response_200 = Health.from_dict(response.json())

    return response_200


def readyz() -> Call[Health]:
    """Check that all services serve.

    Report whether all services serve, and the problems that they name; 503 when one does not serve.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/readyz",
        _parse,
        _kwargs,
    )
