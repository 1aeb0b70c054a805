"""MemberService."""

from ketav.registry.v1 import members_pb2 as pb
from ketav.registry.v1 import members_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import members as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import members


class MemberServicer(members_pb2_grpc.MemberServiceServicer):
    """Lists, adds and removes members of projects."""

    def __init__(self, stores: Stores) -> None:
        """Work with these stores."""
        self._stores = stores

    async def ListMembers(self, request: pb.ListMembersRequest, context: object) -> pb.ListMembersResponse:
        """List the members of a project."""
        project_id = common.uuid(request.project_id, "project_id")
        listed = await members.list_members(current_user(), project_id, stores=self._stores)
        return pb.ListMembersResponse(members=map(convert.member_message, listed))

    async def CheckRole(self, request: pb.CheckRoleRequest, context: object) -> pb.CheckRoleResponse:
        """Return what the caller is in a project."""
        project_id = common.uuid(request.project_id, "project_id")
        needed = convert.needed_role(request.role)
        role, link_state = await members.check_role(current_user(), project_id, needed, stores=self._stores)
        return pb.CheckRoleResponse(role=convert.ROLES[role], link_state=link_state)

    async def SetMember(self, request: pb.SetMemberRequest, context: object) -> pb.SetMemberResponse:
        """Make a user a member of a project of the caller, or change the role of a member."""
        project_id = common.uuid(request.project_id, "project_id")
        role = convert.member_role(request.role)
        member = await members.set_member(current_user(), project_id, request.name, role, stores=self._stores)
        return pb.SetMemberResponse(member=convert.member_message(member))

    async def RemoveMember(self, request: pb.RemoveMemberRequest, context: object) -> pb.RemoveMemberResponse:
        """End a membership."""
        project_id = common.uuid(request.project_id, "project_id")
        await members.remove_member(current_user(), project_id, request.name, stores=self._stores)
        return pb.RemoveMemberResponse()

    async def RevokeLinks(self, request: pb.RevokeLinksRequest, context: object) -> pb.RevokeLinksResponse:
        """Revoke the links to a project of the caller."""
        project_id = common.uuid(request.project_id, "project_id")
        await members.revoke_links(current_user(), project_id, stores=self._stores)
        return pb.RevokeLinksResponse()
