from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.erasure import Erasure


def _parse(response: httpx.Response) -> Erasure:
    response_200 = Erasure.from_dict(response.json())

    return response_200


def delete_project(
    project_id: str,
) -> Call[Erasure]:
    """Delete a project.

    Delete a project with its images and corrections; model versions trained on them stop serving.

    Args:
        project_id (str): UUID of the project.
    """

    _kwargs: dict[str, Any] = {}
    return Call(
        "delete",
        "/projects/{project_id}".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
