"""Members of a project: listed, invited by name, and removed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from ketav.registry.v1 import members_pb2
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway, ProjectId
from ketav_gateway.http.problem_codes import JSON_BODY
from ketav_gateway.http.problems import responses
from ketav_gateway.members import convert, schemas
from ketav_gateway.services import call

router = APIRouter(prefix="/projects/{project_id}/members", tags=["members"])

_Name = Annotated[
    str, Path(description="Name of the account, as `GET /me` shows it.", max_length=MAX_NAME_CODE_POINTS)
]


@router.get("/", include_in_schema=False)  # or it would be a member with an empty name
@router.get("", responses=responses("not-found"), summary="List the members of a project")
async def list_members(gateway: Gateway, project_id: ProjectId) -> schemas.MemberList:
    """Return the users who have a role in the project; each of them sees the list."""
    request = members_pb2.ListMembersRequest(project_id=project_id)
    response = await call(gateway.services.members.ListMembers, request, gateway.services.deadlines.short_s)
    return schemas.MemberList(members=[convert.member(member) for member in response.members])


@router.put(
    "/{name:path}",
    responses=responses(
        *JSON_BODY, "not-found", "insufficient-role", "unknown-account", "member-is-owner", "too-many-members"
    ),
    openapi_extra=body_description(schemas.SetMemberRequest),
    summary="Invite a member, or change their role",
)
async def set_member(
    gateway: Gateway,
    project_id: ProjectId,
    name: _Name,
    body: Annotated[schemas.SetMemberRequest, Depends(json_body(schemas.SetMemberRequest))],
) -> schemas.Member:
    """Set the role of the account with this name in your project, which it lists from now on.

    What editors correct trains the hand of the project, which is the owner's; corrections name their author.
    """
    request = members_pb2.SetMemberRequest(
        project_id=project_id, name=name, role=convert.role_to_proto(body.role)
    )
    response = await call(gateway.services.members.SetMember, request, gateway.services.deadlines.short_s)
    return convert.member(response.member)


@router.delete(
    "/{name:path}",
    status_code=204,
    responses=responses(
        "not-found", "insufficient-role", more={204: {"description": "The account is no member any more."}}
    ),
    summary="Remove a member",
)
async def remove_member(gateway: Gateway, project_id: ProjectId, name: _Name) -> Response:
    """End a membership at once: the next request of the account finds no such project.

    Members may remove themselves. Their corrections stay, and name them.
    """
    request = members_pb2.RemoveMemberRequest(project_id=project_id, name=name)
    await call(gateway.services.members.RemoveMember, request, gateway.services.deadlines.short_s)
    return Response(status_code=204)
