from typing import Any

import httpx
from ketav_client.call import Call

from ...models.submit_corrections_request import SubmitCorrectionsRequest
from ...models.submit_corrections_response import SubmitCorrectionsResponse
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> SubmitCorrectionsResponse:
    response_201 = SubmitCorrectionsResponse.from_dict(response.json())

    return response_201


def save_feedback(
    *,
    body: SubmitCorrectionsRequest,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[SubmitCorrectionsResponse]:
    """Correct a page.

    Correct the latest transcription of a page: single lines by their ids, or the whole text.

    A line whose text may not be stored is listed in `refused`, the others are stored; 422 when none
    is left.

    Args:
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (SubmitCorrectionsRequest): Corrections of a page: either `lines` or
            `corrected_text`. Example: {'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'lines':
            [{'confirm': False, 'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'text': 'שלום
            לכולם'}], 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/feedback/",
        _parse,
        _kwargs,
    )
