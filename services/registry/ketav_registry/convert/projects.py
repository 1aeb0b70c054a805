"""Conversion of projects."""

from uuid import UUID

from ketav.registry.v1 import projects_pb2
from ketav_registry.convert import common
from ketav_registry.convert.members import ROLES
from ketav_registry.convert.pages import page_message
from ketav_registry.domain.pages import Page
from ketav_registry.domain.projects import NewProject, Project, ProjectChange
from ketav_registry.domain.requests import ListPosition


def project_message(project: Project) -> projects_pb2.Project:
    """Return the message of a project."""
    return projects_pb2.Project(
        project_id=str(project.project_id),
        name=project.name,
        script=common.SCRIPTS[project.script],
        create_time=common.timestamp(project.create_time),
        hand=project.hand.name,
        owner=project.owner,
        role=ROLES[project.role],
    )


def pages_list(project_id: UUID) -> str:
    """Return the name of the list of a project's pages, for its cursors."""
    return f"pages of {project_id}"


def project_part(
    part: Project | Page | ListPosition[UUID], project_id: UUID
) -> projects_pb2.GetProjectResponse:
    """Return the message of a streamed project: the project, a page, or the cursor of the next page."""
    if isinstance(part, Project):
        return projects_pb2.GetProjectResponse(project=project_message(part))
    if isinstance(part, Page):
        return projects_pb2.GetProjectResponse(page=page_message(part))
    return projects_pb2.GetProjectResponse(next_cursor=common.cursor(part, pages_list(project_id)))


def new_project(request: projects_pb2.CreateProjectRequest) -> NewProject:
    """Return the project of a request."""
    return NewProject(
        name=request.name,
        script=common.script(request.script) if request.script else None,
        hand=request.hand,
        request=common.request_key(request.request_id, request.request_sha256),
    )


def project_change(request: projects_pb2.UpdateProjectRequest) -> ProjectChange:
    """Return the change of a request; an absent field is None."""
    return ProjectChange(
        name=request.name if request.HasField("name") else None,
        script=common.script(request.script) if request.HasField("script") else None,
        hand=request.hand if request.HasField("hand") else None,
    )
