from typing import Any

import httpx
from ketav_client.call import Call

from ...models.job import Job
from ...models.ocr_accepted_response import OcrAcceptedResponse
from ...models.ocr_document_response import OcrDocumentResponse
from ...models.ocr_response import OcrResponse
from ...models.run_ocr_body import RunOcrBody
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Job | OcrAcceptedResponse | OcrDocumentResponse | OcrResponse:
    if response.status_code == 201:

        def _parse_response_201(data: object) -> OcrDocumentResponse | OcrResponse:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                response_201_type_0 = OcrResponse.from_dict(data)

                return response_201_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            response_201_type_1 = OcrDocumentResponse.from_dict(data)

            return response_201_type_1

        response_201 = _parse_response_201(response.json())

        return response_201

    def _parse_response_202(data: object) -> Job | OcrAcceptedResponse:
        try:
            if not isinstance(data, dict):
                raise TypeError()
            response_202_type_0 = OcrAcceptedResponse.from_dict(data)

            return response_202_type_0
        except (TypeError, ValueError, AttributeError, KeyError):
            pass
        if not isinstance(data, dict):
            raise TypeError()
        response_202_type_1 = Job.from_dict(data)

        return response_202_type_1

    response_202 = _parse_response_202(response.json())

    return response_202


def run_ocr(
    *,
    body: RunOcrBody,
    prefer: None | str | Unset = UNSET,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Job | OcrAcceptedResponse | OcrDocumentResponse | OcrResponse]:
    """Read a new image.

    Store an image as a page of a project and read it; a PDF or TIFF of several pages as several.

    Without `project_id` a new project is created. If the recognition fails, the page is kept: the
    problem names it, and `POST /projects/{project_id}/images/{image_id}/ocr` reads it again. A
    document of up to 20 pages is answered with the state of each page; the failure of a page is its
    own. With `Prefer: respond-async` a job reads the image, or the document of up to 300 pages.

    Args:
        prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (RunOcrBody):
    """
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["files"] = body.to_multipart()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/ocr/",
        _parse,
        _kwargs,
    )
