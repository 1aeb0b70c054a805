from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.job import Job
from ...models.ocr_response import OcrResponse
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Job | OcrResponse:
    if response.status_code == 201:
        response_201 = OcrResponse.from_dict(response.json())

        return response_201

    response_202 = Job.from_dict(response.json())

    return response_202


def read_again(
    project_id: str,
    image_id: str,
    *,
    model: None | str | Unset = UNSET,
    prefer: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Job | OcrResponse]:
    """Read a stored image again.

    Read a stored image again: after a failure, or with a newer or another model.

    With `Prefer: respond-async` a job reads it.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        model (None | str | Unset): Model version to read with, one of yours or a base model;
            without it your active model.
        prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
    """
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    params: dict[str, Any] = {}

    json_model: None | str | Unset
    if isinstance(model, Unset):
        json_model = UNSET
    else:
        json_model = model
    params["model"] = json_model

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/{project_id}/images/{image_id}/ocr".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
