from typing import Any

import httpx
from ketav_client.call import Call

from ...models.health import Health


def _parse(response: httpx.Response) -> Health:
    response_200 = Health.from_dict(response.json())

    return response_200


def livez() -> Call[Health]:
    """Check that the server runs.

    Report that the process answers; it asks no service.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/livez",
        _parse,
        _kwargs,
    )
