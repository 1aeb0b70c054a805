from typing import Any

import httpx
from ketav_client.call import Call

from ...models.erasure import Erasure
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Erasure:
    response_200 = Erasure.from_dict(response.json())

    return response_200


def delete_account(
    *,
    x_confirm: str | Unset = UNSET,
) -> Call[Erasure]:
    """Delete your account.

    Delete your account: API keys, projects, images, corrections, training runs and models, for
    good.

    Args:
        x_confirm (str | Unset): Must be `delete-everything`.
    """
    headers: dict[str, Any] = {}
    if not isinstance(x_confirm, Unset):
        headers["X-Confirm"] = x_confirm

    _kwargs: dict[str, Any] = {}
    _kwargs["headers"] = headers
    return Call(
        "delete",
        "/me",
        _parse,
        _kwargs,
    )
