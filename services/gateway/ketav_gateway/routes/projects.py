"""Reading back: projects, images, files, exports."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from ketav_gateway import (
    convert,
    convert_account,
    convert_learning,
    exports,
    schemas,
    schemas_account,
    schemas_learning,
    usecases,
)
from ketav_gateway.parts import Gateway
from ketav_gateway.problems import responses
from ketav_gateway.routes.common import Cursor, ImageId, ProjectId

router = APIRouter(prefix="/projects", tags=["projects"])

_PIECE = 256 * 1024
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


@router.get("/{project_id}/next-lines", responses=responses(404, 422))
async def list_next_lines(
    gateway: Gateway, project_id: ProjectId, limit: Annotated[int, Query(ge=1, le=100)] = 16
) -> schemas_learning.NextLinesAnswer:
    """Return the uncorrected lines whose correction would teach your model most, and why."""
    return convert_learning.next_lines(await gateway.registry.list_next_lines(project_id, limit))


@router.get("/{project_id}/images/{image_id}", responses=responses(404))
async def get_image(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> schemas.PageAnswer:
    """Return an image, what was read on it and what was corrected."""
    return convert.page(await gateway.registry.get_page(project_id, image_id))


@router.delete("/{project_id}", responses=responses(404))
async def delete_project(gateway: Gateway, project_id: ProjectId) -> schemas_account.ErasureAnswer:
    """Delete a project with its images, what was read and corrected there, and models that learnt from it."""
    return convert_account.erasure(await gateway.registry.delete_project(project_id))


@router.delete("/{project_id}/images/{image_id}", responses=responses(404))
async def delete_image(
    gateway: Gateway, project_id: ProjectId, image_id: ImageId
) -> schemas_account.ErasureAnswer:
    """Delete an image, what was read and corrected on it, and models that learnt from it."""
    return convert_account.erasure(await gateway.registry.delete_page(project_id, image_id))


@router.get(
    "/{project_id}/images/{image_id}/file",
    response_class=Response,
    responses=responses(404, more={200: {"content": {"image/png": {}, "image/jpeg": {}}}}),
)
async def get_file(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> Response:
    """Return the stored image: upright, without metadata."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(dir=gateway.settings.spool_dir))
        path = Path(folder) / "image"
        header = await gateway.registry.download_image(project_id, image_id, path)
        file = stack.enter_context(path.open("rb"))
        body = _pieces(file, stack.pop_all())
    image = header.page.image
    extension = _EXTENSIONS.get(image.media_type)
    return StreamingResponse(
        body,
        media_type=image.media_type if extension else "application/octet-stream",
        headers={
            "Content-Length": str(image.size_bytes),
            "Content-Disposition": f'inline; filename="{image_id}.{extension or "bin"}"',
        },
    )


async def _pieces(file: BinaryIO, files: AsyncExitStack) -> AsyncIterator[bytes]:
    """Yield a file in pieces; it is removed at the end."""
    async with files:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


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
