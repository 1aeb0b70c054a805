from typing import Any

import httpx
from ketav_client.call import Call

from ...models.new_project import NewProject
from ...models.project import Project
from ...types import UNSET, Unset


def _parse(response: httpx.Response) -> Project:
    response_201 = Project.from_dict(response.json())

    return response_201


def create_project(
    *,
    body: NewProject,
    idempotency_key: None | str | Unset = UNSET,
) -> Call[Project]:
    """Create a project.

    Create a project without images; `POST /ocr/` with its `project_id` adds some.

    Args:
        idempotency_key (None | str | Unset): A name for this request: the same request sent again
            with it is done once.
        body (NewProject): A project to create without images. Example: {'name': 'Diary 1948',
            'script': 'modern_cursive'}.
    """
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "post",
        "/projects/",
        _parse,
        _kwargs,
    )
