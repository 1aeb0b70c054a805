from typing import Any
from urllib.parse import quote

import httpx
from ketav_client.call import Call

from ...models.project import Project
from ...models.project_change import ProjectChange


def _parse(response: httpx.Response) -> Project:
    response_200 = Project.from_dict(response.json())

    return response_200


def update_project(
    project_id: str,
    *,
    body: ProjectChange,
) -> Call[Project]:
    """Change a project.

    Change the name, the script or the hand of a project; its images are not read again.

    Args:
        project_id (str): UUID of the project.
        body (ProjectChange): A change of a project: a field that is absent or null stays as it
            is. Example: {'name': 'Diary 1948, second part'}.
    """
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {}
    _kwargs["json"] = body.to_dict()

    _kwargs["headers"] = headers
    return Call(
        "patch",
        "/projects/{project_id}".format(
            project_id=quote(str(project_id), safe=""),
        ),
        _parse,
        _kwargs,
    )
