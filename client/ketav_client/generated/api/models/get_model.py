from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.model_record import ModelRecord


def _parse(response: httpx.Response) -> ModelRecord:
    response_200 = ModelRecord.from_dict(response.json())

    return response_200


def get_model(
    version: str,
) -> Call[ModelRecord]:
    """Show a model version.

    Return a model version with its lineage and its model card.

    Args:
        version (str): Name of the model version.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "get",
        "/models/{version}".format(
            version=quote(str(version), safe=""),
        ),
        _parse,
        _kwargs,
    )
