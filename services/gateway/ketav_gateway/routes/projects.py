"""Reading back: projects, images, files, exports."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from ketav_gateway import convert, exports, schemas, usecases
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import Cursor, ImageId, ProjectId

router = APIRouter(prefix="/projects", tags=["projects"])

_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg"}


@router.get("/", responses=responses(422))
async def list_projects(
    gateway: Gateway, cursor: Cursor = "", limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> schemas.ProjectList:
    """List your projects, newest first."""
    answer = await gateway.registry.list_projects(cursor, limit)
    return schemas.ProjectList(
        projects=[convert.project(found) for found in answer.projects],
        next_cursor=answer.next_cursor or None,
    )


@router.get("/{project_id}", responses=responses(404, 422))
async def get_project(
    gateway: Gateway,
    project_id: ProjectId,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> schemas.ProjectAnswer:
    """Return a project with its images, what was read on them and what was corrected."""
    return await usecases.get_project(gateway.registry, project_id, cursor, limit)


@router.get("/{project_id}/images/{image_id}", responses=responses(404))
async def get_image(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> schemas.PageAnswer:
    """Return an image, what was read on it and what was corrected."""
    return convert.page(await gateway.registry.get_page(project_id, image_id))


@router.get(
    "/{project_id}/images/{image_id}/file",
    response_class=Response,
    responses=responses(404, more={200: {"content": {"image/png": {}, "image/jpeg": {}}}}),
)
async def get_file(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> Response:
    """Return the stored image: upright, without metadata."""
    with TemporaryDirectory(dir=gateway.settings.spool_dir) as folder:
        path = Path(folder) / "image"
        header = await gateway.registry.download_image(project_id, image_id, path)
        data = await asyncio.to_thread(path.read_bytes)
    media_type = header.page.image.media_type
    extension = _EXTENSIONS.get(media_type)
    return Response(
        data,
        media_type=media_type if extension else "application/octet-stream",
        headers={"Content-Disposition": f'inline; filename="{image_id}.{extension or "bin"}"'},
    )


@router.get(
    "/{project_id}/images/{image_id}/export",
    response_class=Response,
    responses=responses(
        404, 422, more={200: {"content": {media_type: {} for media_type, _ in exports.FORMATS.values()}}}
    ),
)
async def export(
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    form: Annotated[exports.Format, Query(alias="format")] = "txt",
) -> Response:
    """Return the page's text in a common format: logical order, corrections instead of misreadings."""
    page = convert.page(await gateway.registry.get_page(project_id, image_id))
    media_type, write = exports.FORMATS[form]
    return Response(
        write(page),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{image_id}.{exports.EXTENSIONS[form]}"'},
    )
