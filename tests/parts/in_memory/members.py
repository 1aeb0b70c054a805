"""Members of projects in memory."""

from typing import Any

from ketav.registry.v1 import members_pb2, members_pb2_grpc
from ketav_common import context
from ketav_common.errors import Forbidden, InvalidInput, NotFound
from tests.parts.in_memory.state import TIME, State


class Members(members_pb2_grpc.MemberServiceServicer):
    """Lists, adds and removes members."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def ListMembers(self, request: Any, context: Any) -> Any:
        """List the members of a project."""
        self.state.enter("ListMembers", request)
        owner = self.state.scope(request.project_id)
        owner.project(request.project_id)
        listed = owner.members.get(request.project_id, {}).values()
        return members_pb2.ListMembersResponse(members=listed)

    async def CheckRole(self, request: Any, context: Any) -> Any:
        """Return what the caller is in a project."""
        self.state.enter("CheckRole", request)
        self.state.scope(request.project_id, request.role).project(request.project_id)
        owner = self.state.scope(request.project_id)
        member = owner.members.get(request.project_id, {}).get(self.state.caller().user_id)
        state = f"{owner.links.get(request.project_id, 0)} {id(member) if member else ''}"
        return members_pb2.CheckRoleResponse(role=self.state.role(request.project_id), link_state=state)

    async def SetMember(self, request: Any, context: Any) -> Any:
        """Make a user a member, or change their role."""
        self.state.enter("SetMember", request)
        if request.role not in {members_pb2.ROLE_VIEWER, members_pb2.ROLE_EDITOR}:
            raise InvalidInput("A member is a viewer or an editor. Send one of them.", code="invalid-role")
        owner = self.state.scope(request.project_id, members_pb2.ROLE_OWNER)
        owner.project(request.project_id)
        ids = {self.state.user(user_id).name: user_id for user_id in self.state.keys.values()}
        pointer = {"pointer": "/name"}
        if request.name not in ids:
            raise InvalidInput(
                "No account has this name. Send another.", code="unknown-account", details=pointer
            )
        if request.name == owner.name:
            raise InvalidInput("You own this project. Send another.", code="member-is-owner", details=pointer)
        members = owner.members.setdefault(request.project_id, {})
        member = members.setdefault(
            ids[request.name], members_pb2.Member(name=request.name, create_time=TIME)
        )
        member.role = request.role
        return members_pb2.SetMemberResponse(member=member)

    async def RemoveMember(self, request: Any, _context: Any) -> Any:
        """End a membership."""
        self.state.enter("RemoveMember", request)
        owner = self.state.scope(request.project_id)
        owner.project(request.project_id)
        members = owner.members.get(request.project_id, {})
        user_id = next((key for key, member in members.items() if member.name == request.name), None)
        if user_id != str(context.current_user()) and self.state.caller() is not owner:
            raise Forbidden("You are a member of this project. Ask the owner.", code="insufficient-role")
        if user_id is None:
            raise NotFound("The project has no member with this name. List them.", code="unknown-member")
        del members[user_id]
        return members_pb2.RemoveMemberResponse()

    async def RevokeLinks(self, request: Any, context: Any) -> Any:
        """Revoke the links to a project."""
        self.state.enter("RevokeLinks", request)
        owner = self.state.scope(request.project_id, members_pb2.ROLE_OWNER)
        owner.project(request.project_id)
        owner.links[request.project_id] = owner.links.get(request.project_id, 0) + 1
        return members_pb2.RevokeLinksResponse()
