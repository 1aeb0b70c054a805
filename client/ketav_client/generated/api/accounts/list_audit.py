from typing import Any

import httpx
from ketav_client.call import Call

from ...models.audit_list import AuditList
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> AuditList:
    response_200 = AuditList.from_dict(response.json())

    return response_200


def list_audit(
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
) -> Call[AuditList]:
    """List the audit log of your account.

    List the actions on your account, newest first: keys, deletions, exports, models that serve,
    webhooks.

    No entry can be changed. They stay for 90 days after the account is deleted, without your name.

    Args:
        cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
            without it.
        limit (int | Unset): Maximum number of elements in the response.
    """

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/me/audit",
        _parse,
        _kwargs,
    )
