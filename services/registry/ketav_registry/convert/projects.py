"""Projects on the wire."""

from ketav.registry.v1 import projects_pb2
from ketav_registry.convert import common
from ketav_registry.convert.pages import page
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects import Project
from ketav_registry.domain.requests import After


def project(found: Project) -> projects_pb2.Project:
    """Write a project."""
    return projects_pb2.Project(
        project_id=str(found.project_id),
        name=found.name,
        script=common.SCRIPTS[found.script],
        create_time=common.timestamp(found.create_time),
    )


def project_part(part: Project | Page | After) -> projects_pb2.GetProjectResponse:
    """Write a part of a project."""
    if isinstance(part, Project):
        return projects_pb2.GetProjectResponse(project=project(part))
    if isinstance(part, Page):
        return projects_pb2.GetProjectResponse(page=page(part))
    return projects_pb2.GetProjectResponse(next_cursor=common.cursor(part))
