"""ProjectService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import projects_pb2 as pb
from ketav.registry.v1 import projects_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert_erasure
from ketav_registry.convert import projects as convert_projects
from ketav_registry.database import Database
from ketav_registry.usecases import erasure, projects


class ProjectServicer(projects_pb2_grpc.ProjectServiceServicer):
    """Lists, reads and deletes projects."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def ListProjects(self, request: pb.ListProjectsRequest, context: object) -> pb.ListProjectsResponse:
        """List the caller's projects."""
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 20, 100)
        found, more = await projects.list_projects(current_user(), after, limit, database=self._database)
        shown = [convert_projects.project(project) for project in found]
        return pb.ListProjectsResponse(projects=shown, next_cursor=common.cursor(more))

    async def GetProject(
        self, request: pb.GetProjectRequest, context: object
    ) -> AsyncIterator[pb.GetProjectResponse]:
        """Stream a project and its pages."""
        user_id, project_id = current_user(), common.uuid(request.project_id, "project")
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 100, 500)
        parts = projects.get_project(user_id, project_id, after, limit, database=self._database)
        async for part in parts:
            yield convert_projects.project_part(part)

    async def DeleteProject(
        self, request: pb.DeleteProjectRequest, context: object
    ) -> pb.DeleteProjectResponse:
        """Delete a project."""
        project_id = common.uuid(request.project_id, "project")
        done = await erasure.delete_project(current_user(), project_id, database=self._database)
        return pb.DeleteProjectResponse(erasure=convert_erasure.erasure(done))
