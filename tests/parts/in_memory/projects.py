"""Projects in memory."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from ketav.registry.v1 import members_pb2, projects_pb2, projects_pb2_grpc
from ketav_common.errors import Conflict, NotFound
from tests.parts.in_memory.pages import count
from tests.parts.in_memory.state import TIME, State, User, list_part


def require_free_name(user: User, name: str, project_id: str = "") -> None:
    """Raise Conflict if another project of the user has a name."""
    for other in user.projects.values():
        if other.name == name and other.project_id != project_id:
            raise Conflict(
                f"Your project {other.project_id} has this name. Send another name.",
                code="name-taken",
                details={"pointer": "/name", "project_id": other.project_id},
            )


class Projects(projects_pb2_grpc.ProjectServiceServicer):
    """Creates, lists, shows, changes and deletes projects."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def ListProjects(self, request: Any, context: Any) -> Any:
        """List the caller's projects, newest first."""
        self.state.enter("ListProjects", request)
        visible = self.state.visible_projects().values()
        projects = [self.state.described(project) for project in reversed(visible)]
        part, cursor = list_part(projects, request.cursor, request.limit or 20)
        return projects_pb2.ListProjectsResponse(projects=part, next_cursor=cursor)

    async def GetProject(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Stream a project, its pages, and a cursor if there are more."""
        self.state.enter("GetProject", request)
        user = self.state.scope(request.project_id)
        project = self.state.described(user.project(request.project_id))
        yield projects_pb2.GetProjectResponse(project=project)
        pages = user.pages_of(request.project_id)
        part, cursor = list_part(pages, request.cursor, request.limit or 100)
        for stored in part:
            response = projects_pb2.GetProjectResponse(page=stored.message)
            if request.without_transcriptions:
                response.page.ClearField("transcription")
            yield response
        if cursor:
            yield projects_pb2.GetProjectResponse(next_cursor=cursor)

    async def CreateProject(self, request: Any, context: Any) -> Any:
        """Create a project without pages."""
        self.state.enter("CreateProject", request)
        user = self.state.caller()
        known = user.repeated("CreateProject", request.request_id, request.request_sha256)
        if known is None:
            require_free_name(user, request.name)
            user.check_script(request.hand, request.script)
            known = projects_pb2.Project(
                project_id=str(uuid4()),
                name=request.name,
                script=request.script or user.script_of(request.hand),
                hand=request.hand,
                create_time=TIME,
            )
            user.projects[known.project_id] = known
        user.remember("CreateProject", request.request_id, request.request_sha256, known)
        return projects_pb2.CreateProjectResponse(project=self.state.described(known))

    async def UpdateProject(self, request: Any, context: Any) -> Any:
        """Change the name or the script of a project."""
        self.state.enter("UpdateProject", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_OWNER)
        project = user.project(request.project_id)
        if request.HasField("name"):
            require_free_name(user, request.name, request.project_id)
            project.name = request.name
        if request.HasField("hand"):
            user.check_script(request.hand, request.script or project.script)
            project.hand = request.hand
        if request.HasField("script"):
            project.script = request.script
        return projects_pb2.UpdateProjectResponse(project=self.state.described(project))

    async def DeleteProject(self, request: Any, context: Any) -> Any:
        """Delete a project with its pages."""
        self.state.enter("DeleteProject", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_OWNER)
        user.project(request.project_id)
        pages = user.pages_of(request.project_id)
        for stored in pages:
            del user.pages[stored.message.page_id]
        del user.projects[request.project_id]
        user.members.pop(request.project_id, None)
        return projects_pb2.DeleteProjectResponse(erasure=count(pages, self.state.erasure))

    async def RenameHand(self, request: Any, context: Any) -> Any:
        """Rename a hand in all projects."""
        self.state.enter("RenameHand", request)
        projects = self.state.caller().projects.values()
        if request.new_name != request.name and request.new_name in {item.hand for item in projects}:
            raise Conflict(
                "Another hand has this name. Send another.",
                code="hand-name-taken",
                details={"pointer": "/name"},
            )
        renamed = [item for item in projects if request.name and item.hand == request.name]
        if not renamed:
            raise NotFound("This account has no hand with this name. List the projects.")
        for item in renamed:
            item.hand = request.new_name
        return projects_pb2.RenameHandResponse(name=request.new_name)
