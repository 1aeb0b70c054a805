from typing import Any

import httpx
from ketav_client.call import Call

from ...models.account import Account


def _parse(response: httpx.Response) -> Account:
    response_200 = Account.from_dict(response.json())

    return response_200


def get_account() -> Call[Account]:
    """Show your account.

    Return your account, the key of this request, and the limits of your requests.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/me",
        _parse,
        _kwargs,
    )
