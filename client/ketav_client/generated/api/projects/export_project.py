from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.export_project_format import ExportProjectFormat
from ...models.job import Job
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> bytes | Job:
    if response.status_code == 200:
        return response.content
    response_202 = Job.from_dict(response.json())

    return response_202


def export_project(
    project_id: str,
    *,
    format_: ExportProjectFormat | Unset = UNSET,
    image_id: list[str] | Unset = UNSET,
    images: bool | Unset = UNSET,
    prefer: None | str | Unset = UNSET,
) -> Call[bytes | Job]:
    """Export a project.

    Export a project, or some of its images, as a stream; lines are in logical order.

    A zip of ALTO or PAGE with images can be imported again. An export that fails midway ends
    without its last chunk. With `Prefer: respond-async` a job writes it, which a project of more
    than 300 images needs; `GET /jobs/{job_id}/export` has the file. An equal export that waits or
    is written is not made twice.

    Args:
        project_id (str): UUID of the project.
        format_ (ExportProjectFormat | Unset): `txt`, `tei`, `pdf` (searchable), `docx`, `iiif` (a
            manifest): one document. `json`, `alto`, `page`, `hocr`: a zip with a file for each image.
            `pairs`: a zip with an image and a `.gt.txt` for each line whose text is verified.
        image_id (list[str] | Unset): Images to export, in this order; none: all.
        images (bool | Unset): Whether a zip contains the image files, too.
        prefer (None | str | Unset): `respond-async`: respond with 202; a job does the work.
    """
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    params: dict[str, Any] = {}

    json_format_: str | Unset = UNSET
    if not isinstance(format_, Unset):
        json_format_ = format_

    params["format"] = json_format_

    json_image_id: list[str] | Unset = UNSET
    if not isinstance(image_id, Unset):
        json_image_id = image_id

    params["image_id"] = json_image_id

    params["images"] = images

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    _kwargs["headers"] = headers
    return Call(
        "get",
        "/projects/{project_id}/export".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
