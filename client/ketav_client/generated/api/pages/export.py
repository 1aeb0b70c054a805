from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.export_format import ExportFormat
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> bytes:
    return response.content


def export(
    project_id: str,
    image_id: str,
    *,
    format_: ExportFormat | Unset = UNSET,
    min_confidence: float | Unset = UNSET,
) -> Call[bytes]:
    """Export the text of an image.

    Return the text of a page in logical order; a verified line has its verified text.

    Args:
        project_id (str): UUID of the project.
        image_id (str): UUID of the image.
        format_ (ExportFormat | Unset): Plain text, JSON, ALTO 4.4, PAGE XML, hOCR, TEI,
            searchable PDF, IIIF manifest, DOCX, or pairs of verified lines.
        min_confidence (float | Unset): Lines of a lower confidence are left out unless they are
            verified. For txt, json, alto, page and hocr.
    """

    params: dict[str, Any] = {}

    json_format_: str | Unset = UNSET
    if not isinstance(format_, Unset):
        json_format_ = format_

    params["format"] = json_format_

    params["min_confidence"] = min_confidence

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/projects/{project_id}/images/{image_id}/export".format(
            project_id=quote(str(project_id), safe=""),
            image_id=quote(str(image_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
