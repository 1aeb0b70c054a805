from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.hand_change import HandChange
from ...models.renamed_hand import RenamedHand


def _parse(response: httpx.Response) -> RenamedHand:
    response_200 = RenamedHand.from_dict(response.json())

    return response_200


def rename_hand(
    name: str,
    *,
    body: HandChange,
) -> Call[RenamedHand]:
    """Rename a hand.

    Rename one of your hands in all its projects, training runs and models, which stay as they are.

    Args:
        name (str): Name of one of your hands.
        body (HandChange): A change of a hand: the person who wrote the pages of projects.
            Example: {'name': 'Grandmother Rachel'}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "patch",
        "/hands/{name}".format(
            name=quote(str(name), safe=""),
        ),
        _parse,
        _kwargs,
    )
