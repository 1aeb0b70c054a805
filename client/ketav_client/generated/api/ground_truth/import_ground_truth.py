from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.import_ground_truth_body import ImportGroundTruthBody
from ...models.import_ground_truth_response import ImportGroundTruthResponse
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ImportGroundTruthResponse:
    response_201 = ImportGroundTruthResponse.from_dict(response.json())

    return response_201


def import_ground_truth(
    project_id: str,
    *,
    body: ImportGroundTruthBody,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[ImportGroundTruthResponse]:
    """Import an archive of images with known texts.

    Import lines with known texts: they count as corrected and train.

    The same archive sent again adds nothing. 422 `nothing-to-import` when no file could be
    imported; its `files` have the reasons.

    Args:
        project_id (str): UUID of the project.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (ImportGroundTruthBody):
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["files"] = body.to_multipart()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/ground-truth".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
