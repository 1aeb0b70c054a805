from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.correct_line_response import CorrectLineResponse
from ...models.new_correction import NewCorrection
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> CorrectLineResponse:
    response_200 = CorrectLineResponse.from_dict(response.json())

    return response_200


def put_correction(
    project_id: str,
    image_id: str,
    line_id: str,
    *,
    body: NewCorrection,
    idempotency_key: None | str | Unset = UNSET,
    if_match: None | str | Unset = UNSET,
) -> Call[CorrectLineResponse]:
    """Correct a line.

    Correct one line of the latest transcription; with `If-Match` only if it has not changed since.

    The ETag of the response is the `If-Match` of the next correction.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        line_id (str): UUID of a line of the image.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        if_match (None | str | Unset): `"CORRECTION_ID"` of the line as you have seen it, `"none"`
            for a line without a correction: a line that was corrected since is not changed. Without
            it, any.
        body (NewCorrection): The correction of one line. Example: {'confirm': False, 'text':
            'שלום לכולם'}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "put",
        "/projects/{project_id}/images/{image_id}/lines/{line_id}/correction".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
            line_id=quote(str(line_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
