"""Links to a project for IIIF viewers, which send no key: made, revoked, and served."""

import time
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from ketav.registry.v1 import members_pb2
from ketav_gateway.http import files
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway, ImageId, ProjectId
from ketav_gateway.http.links import new_link
from ketav_gateway.http.problem_codes import JSON_BODY
from ketav_gateway.http.problems import responses
from ketav_gateway.http.sessions import presented_credential
from ketav_gateway.pages import documents, iiif, links, routes, schemas, streams
from ketav_gateway.services import call

router = APIRouter(prefix="/projects/{project_id}/iiif-link", tags=["pages"])
served = APIRouter(prefix="/iiif/{token}", include_in_schema=False)  # a link has the whole addresses


@router.post(
    "",
    status_code=201,
    responses=responses(*JSON_BODY, "not-found"),
    openapi_extra=body_description(schemas.NewLink),
    summary="Make a link for a IIIF viewer",
)
async def create_link(
    request: Request,
    gateway: Gateway,
    project_id: ProjectId,
    body: Annotated[schemas.NewLink, Depends(json_body(schemas.NewLink))],
) -> schemas.IIIFLink:
    """Return the address of a IIIF manifest that a viewer opens without a key, with its images.

    Who has the address reads the texts and images of this project until its time is over. It ends before when
    your key is revoked, when you lose your role in the project, or when the owner revokes the links.
    """
    state = await links.link_state(gateway.services, project_id)
    await streams.record_export(gateway.services, project_id, "iiif-link")
    key_sha256 = presented_credential(request, gateway.sessions).key_sha256
    link = new_link(project_id, key_sha256, state, timedelta(seconds=body.lifetime_s))
    base = str(request.base_url).rstrip("/")
    return schemas.IIIFLink(
        url=f"{base}/iiif/{gateway.links.sign(link)}/manifest", expires_at=link.expires_at
    )


@router.delete(
    "",
    status_code=204,
    responses=responses("not-found", "insufficient-role", more={204: {"description": "All are revoked."}}),
    summary="Revoke the links for IIIF viewers",
)
async def revoke_links(gateway: Gateway, project_id: ProjectId) -> Response:
    """Revoke all links to your project, also those of its members, at once."""
    request = members_pb2.RevokeLinksRequest(project_id=project_id)
    await call(gateway.services.members.RevokeLinks, request, gateway.services.deadlines.short_s)
    return Response(status_code=204)


@served.get("/manifest")
async def get_manifest(request: Request, gateway: Gateway, link: links.Linked) -> Response:
    """Return the manifest of a link; its images are addresses of the link."""
    base = str(request.base_url).rstrip("/")
    address = f"{base}/iiif/{request.state.link_token}"
    async with AsyncExitStack() as stack:
        title = await streams.project_name(gateway.services, link.project_id)
        folder = Path(stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir)))
        deadline = time.monotonic() + gateway.settings.export_timeout_s
        pages = streams.pages_of(gateway.services, streams.Selection(link.project_id), deadline)
        await stack.enter_async_context(aclosing(pages))
        urls = streams.DocumentUrls(f"{address}/manifest", base)
        source = streams.source_of(gateway.services, title, await streams.started(pages), urls, folder)
        return StreamingResponse(
            streams.closing(documents.linked_manifest(source, address), stack.pop_all()),
            media_type=iiif.MEDIA_TYPE,
            headers={"Cache-Control": files.REVALIDATED},
        )


@served.get("/images/{image_id}")
async def get_linked_image(
    request: Request, gateway: Gateway, link: links.Linked, image_id: ImageId
) -> Response:
    """Return an image of the project of a link, as the owner downloads it."""
    return await routes.get_file(request, gateway, link.project_id, image_id)
