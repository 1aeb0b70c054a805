"""Projects in memory."""

from collections.abc import AsyncIterator
from typing import Any

from ketav.registry.v1 import projects_pb2, projects_pb2_grpc
from tests.parts.in_memory.pages import count
from tests.parts.in_memory.state import State, list_part


class Projects(projects_pb2_grpc.ProjectServiceServicer):
    """Lists, shows and deletes projects."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def ListProjects(self, request: Any, context: Any) -> Any:
        """List the caller's projects, newest first."""
        self.state.enter("ListProjects", request)
        projects = list(reversed(self.state.caller().projects.values()))
        part, cursor = list_part(projects, request.cursor, request.limit or 20)
        return projects_pb2.ListProjectsResponse(projects=part, next_cursor=cursor)

    async def GetProject(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream a project, its pages, and a cursor if there are more."""
        self.state.enter("GetProject", request)
        user = self.state.caller()
        yield projects_pb2.GetProjectResponse(project=user.project(request.project_id))
        pages = user.pages_of(request.project_id)
        part, cursor = list_part(pages, request.cursor, request.limit or 100)
        for stored in part:
            yield projects_pb2.GetProjectResponse(page=stored.message)
        if cursor:
            yield projects_pb2.GetProjectResponse(next_cursor=cursor)

    async def DeleteProject(self, request: Any, context: Any) -> Any:
        """Delete a project with its pages."""
        self.state.enter("DeleteProject", request)
        user = self.state.caller()
        user.project(request.project_id)
        pages = user.pages_of(request.project_id)
        for stored in pages:
            del user.pages[stored.message.page_id]
        del user.projects[request.project_id]
        return projects_pb2.DeleteProjectResponse(erasure=count(pages, self.state.erasure))
