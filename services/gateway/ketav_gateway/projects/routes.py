"""The caller's projects: listed, shown with their images, and deleted."""

from typing import Annotated

from fastapi import APIRouter, Query

from ketav.registry.v1 import projects_pb2
from ketav_common.errors import Unavailable
from ketav_gateway.erasure.convert import erasure
from ketav_gateway.erasure.schemas import Erasure
from ketav_gateway.http.dependencies import Cursor, Gateway, ListLimit, ProjectId
from ketav_gateway.http.problem_codes import LIST
from ketav_gateway.http.problems import responses
from ketav_gateway.pages.convert import page
from ketav_gateway.pages.schemas import Page
from ketav_gateway.projects import convert, schemas
from ketav_gateway.services import Services, call, stream

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("/", responses=responses(*LIST), summary="List your projects")
async def list_projects(gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20) -> schemas.ProjectList:
    """List your projects, newest first."""
    request = projects_pb2.ListProjectsRequest(cursor=cursor, limit=limit)
    response = await call(gateway.services.projects.ListProjects, request, gateway.services.deadlines.short_s)
    return schemas.ProjectList(
        projects=[convert.project(project) for project in response.projects],
        next_cursor=response.next_cursor or None,
    )


@router.get(
    "/{project_id}", responses=responses(*LIST, "not-found"), summary="Show a project with its images"
)
async def get_project(
    gateway: Gateway,
    project_id: ProjectId,
    cursor: Cursor = "",
    limit: Annotated[int, Query(description="Maximum number of images in the response.", ge=1, le=500)] = 100,
) -> schemas.ProjectWithImages:
    """Return a project with its images, their latest transcriptions and corrections."""
    request = projects_pb2.GetProjectRequest(project_id=project_id, cursor=cursor, limit=limit)
    return await _project_with_images(gateway.services, request)


async def _project_with_images(
    services: Services, request: projects_pb2.GetProjectRequest
) -> schemas.ProjectWithImages:
    """Return a project from the registry's stream of parts."""
    project: schemas.Project | None = None
    images: list[Page] = []
    next_cursor: str | None = None
    async for message in stream(services.projects.GetProject, request, services.deadlines.store_s):
        match message.WhichOneof("part"):
            case "project":
                project = convert.project(message.project)
            case "page":
                images.append(page(message.page))
            case "next_cursor":
                next_cursor = message.next_cursor
            case None:
                pass
    if project is None:
        raise Unavailable("The registry sent a project without its record. Retry later.")
    return schemas.ProjectWithImages(**project.model_dump(), images=images, next_cursor=next_cursor)


@router.delete("/{project_id}", responses=responses("not-found"), summary="Delete a project")
async def delete_project(gateway: Gateway, project_id: ProjectId) -> Erasure:
    """Delete a project with its images and corrections; model versions trained on them stop serving."""
    request = projects_pb2.DeleteProjectRequest(project_id=project_id)
    response = await call(
        gateway.services.projects.DeleteProject, request, gateway.services.deadlines.store_s
    )
    return erasure(response.erasure)
