"""ProjectService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import projects_pb2 as pb
from ketav.registry.v1 import projects_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert_erasure
from ketav_registry.convert import projects as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import erasure, projects, projects_hands


class ProjectServicer(projects_pb2_grpc.ProjectServiceServicer):
    """Creates, lists, reads, changes and deletes projects."""

    def __init__(self, stores: Stores) -> None:
        """Work with these stores."""
        self._stores = stores

    async def ListProjects(self, request: pb.ListProjectsRequest, context: object) -> pb.ListProjectsResponse:
        """List the caller's projects."""
        after = common.id_position(request.cursor, "projects")
        limit = common.limit(request.limit, default=20, maximum=100)
        part = await projects.list_projects(current_user(), after, limit, stores=self._stores)
        return pb.ListProjectsResponse(
            projects=[convert.project_message(project) for project in part.projects],
            next_cursor=common.cursor(part.next_position, "projects"),
        )

    async def GetProject(
        self, request: pb.GetProjectRequest, context: object
    ) -> AsyncIterator[pb.GetProjectResponse]:
        """Stream a project and its pages."""
        project_id = common.uuid(request.project_id, "project_id")
        pages = projects.PageRange(
            after=common.id_position(request.cursor, convert.pages_list(project_id)),
            limit=common.limit(request.limit, default=100, maximum=500),
            transcriptions=not request.without_transcriptions,
        )
        async for part in projects.get_project(current_user(), project_id, pages, stores=self._stores):
            yield convert.project_part(part, project_id)

    async def CreateProject(
        self, request: pb.CreateProjectRequest, context: object
    ) -> pb.CreateProjectResponse:
        """Create a project without pages."""
        new = convert.new_project(request)
        project = await projects.create_project(current_user(), new, stores=self._stores)
        return pb.CreateProjectResponse(project=convert.project_message(project))

    async def UpdateProject(
        self, request: pb.UpdateProjectRequest, context: object
    ) -> pb.UpdateProjectResponse:
        """Change the name or the script of a project."""
        project_id = common.uuid(request.project_id, "project_id")
        change = convert.project_change(request)
        project = await projects.update_project(current_user(), project_id, change, stores=self._stores)
        return pb.UpdateProjectResponse(project=convert.project_message(project))

    async def DeleteProject(
        self, request: pb.DeleteProjectRequest, context: object
    ) -> pb.DeleteProjectResponse:
        """Delete the caller's project and its pages; return what was deleted.

        Models trained on its pages stop serving, and a run over them is cancelled. NotFound: no such project.
        """
        project_id = common.uuid(request.project_id, "project_id")
        done = await erasure.delete_project(current_user(), project_id, stores=self._stores)
        return pb.DeleteProjectResponse(erasure=convert_erasure.erasure(done))

    async def RenameHand(self, request: pb.RenameHandRequest, context: object) -> pb.RenameHandResponse:
        """Rename a hand of the caller."""
        name = await projects_hands.rename_hand(
            current_user(), request.name, request.new_name, stores=self._stores
        )
        return pb.RenameHandResponse(name=name)
