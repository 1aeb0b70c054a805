"""The link of a request under /iiif/: whose rights it has, and whether it is still valid."""

from typing import Annotated

from fastapi import Depends, Path, Request

from ketav.registry.v1 import members_pb2
from ketav_common import context
from ketav_common.errors import Forbidden, NotFound, Unauthenticated
from ketav_gateway.http.authentication import Credential
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.links import Link
from ketav_gateway.services import Services, call


async def link_state(services: Services, project_id: str) -> str:
    """Return the state of the links of the caller to a project; raises NotFound."""
    request = members_pb2.CheckRoleRequest(project_id=project_id, role=members_pb2.ROLE_VIEWER)
    response = await call(services.members.CheckRole, request, services.deadlines.short_s)
    return response.link_state


async def _linked(
    request: Request, gateway: Gateway, token: Annotated[str, Path(description="Token of a link.")]
) -> Link:
    """Make the user who made a link the caller for the rest of the request; return the link.

    NotFound for any other token: it is forged, expired or revoked, or its user has lost the key or the role.
    """
    link = gateway.links.verify(token)
    try:
        identity = await gateway.authenticator.identify(Credential(link.key_sha256))
    except (Unauthenticated, Forbidden) as error:
        raise NotFound from error
    context.set_for_task(identity, context.request_id())
    await gateway.rates.count("all", str(identity.user_id))
    if await link_state(gateway.services, link.project_id) != link.state:
        raise NotFound
    request.state.link_token = token
    return link


Linked = Annotated[Link, Depends(_linked)]
