from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.get_project_fields import GetProjectFields
from ...models.project_with_images import ProjectWithImages
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> ProjectWithImages:
    response_200 = ProjectWithImages.from_dict(response.json())

    return response_200


def get_project(
    project_id: str,
    *,
    cursor: str | Unset = UNSET,
    limit: int | Unset = UNSET,
    fields: GetProjectFields | Unset = UNSET,
) -> Call[ProjectWithImages]:
    """Show a project with its images.

    Return a project with its images, their latest transcriptions and corrections.

    Args:
        project_id (str): UUID of the project.
        cursor (str | Unset): `next_cursor` of the previous response; the first part of the list
            without it.
        limit (int | Unset): Maximum number of images in the response.
        fields (GetProjectFields | Unset): `all`: the whole images; `text`: lines without
            `baseline`, `boundary` and `words`; `images`: images without `transcription`.
    """

    params: dict[str, Any] = {}

    params["cursor"] = cursor

    params["limit"] = limit

    json_fields: str | Unset = UNSET
    if not isinstance(fields, Unset):
        json_fields = fields

    params["fields"] = json_fields

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {}
    _kwargs["params"] = params
    return Call(
        "get",
        "/projects/{project_id}".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
