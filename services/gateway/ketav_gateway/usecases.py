"""What takes more than one call: reading a page."""

import asyncio
from pathlib import Path

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common.errors import (
    Internal,
    InvalidInput,
    KetavError,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from ketav_common.images import NormalisedImage
from ketav_gateway import convert, schemas
from ketav_gateway.clients import Recognizer, Registry

_PAUSES_S = (1, 2, 4, 8)


async def store_image(
    registry: Registry,
    image: NormalisedImage,
    form: schemas.OcrForm,
    request_id: str,
    request_sha256: bytes,
) -> pages_pb2.CreatePageResponse:
    """Store a checked image as a page; the answer names the model that reads it."""
    header = pages_pb2.CreatePageHeader(
        project_id=form.project_id or "",
        project_name=form.name or "",
        script=convert.to_script(form.script),
        layout=convert.to_layout(form.layout),
        image=page_pb2.Image(
            width=image.width,
            height=image.height,
            media_type=image.media_type,
            size_bytes=image.size_bytes,
        ),
        request_id=request_id,
        request_sha256=request_sha256,
        model_version=form.model or "",
    )
    return await registry.create_page(header, image.path)


async def _recognize(
    recognizer: Recognizer, page: pages_pb2.Page, model: page_pb2.Model, path: Path
) -> recognizer_pb2.RecognizePageResponse:
    """Read an image; that its model is missing or broken is not the client's fault."""
    try:
        return await recognizer.recognize_page(model, page.layout, path, page.image.size_bytes)
    except NotFound as error:  # retired between two calls
        raise Unavailable("The model that was to read the page is gone; try again.") from error
    except InvalidInput as error:
        if error.code == "unusable-model":
            raise Internal(f"the model {model.version} is unusable") from error
        raise


async def read_page(
    registry: Registry,
    recognizer: Recognizer,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    path: Path,
) -> transcriptions_pb2.Transcription:
    """Read a stored page and record it. Its image is kept whatever happens; errors name it."""
    try:
        reading = await _recognize(recognizer, page, model, path)
        return await registry.record_transcription(page.page_id, reading)
    except KetavError as error:
        error.details.update(project_id=page.project_id, image_id=page.page_id)
        raise


async def read_patiently(
    registry: Registry,
    recognizer: Recognizer,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    path: Path,
) -> None:
    """Read a stored page that nobody waits for: while the services are busy or away, some times again."""
    for pause_s in _PAUSES_S:
        try:
            await read_page(registry, recognizer, page, model, path)
        except (RateLimited, Unavailable, TimedOut) as error:
            await asyncio.sleep(error.retry_after or pause_s)
        else:
            return
    await read_page(registry, recognizer, page, model, path)


async def read_again(
    registry: Registry, recognizer: Recognizer, page: tuple[str, str], version: str, folder: Path
) -> schemas.OcrAnswer:
    """Read a stored page (project, page) with a version, or with the model that serves the caller now."""
    path = folder / "image"
    header = await registry.download_image(*page, path, version)
    read = await read_page(registry, recognizer, header.page, header.model, path)
    return convert.ocr(header.page, read)


async def get_project(registry: Registry, project_id: str, cursor: str, limit: int) -> schemas.ProjectAnswer:
    """Return a project with one stretch of its pages."""
    summary: schemas.ProjectSummary | None = None
    pages: list[schemas.PageAnswer] = []
    next_cursor: str | None = None
    async for part in registry.get_project(project_id, cursor, limit):
        match part.WhichOneof("part"):
            case "project":
                summary = convert.project(part.project)
            case "page":
                pages.append(convert.page(part.page))
            case "next_cursor":
                next_cursor = part.next_cursor
            case None:
                pass
    if summary is None:
        raise Unavailable("The project's record ended before it began.")
    return schemas.ProjectAnswer(**summary.model_dump(), images=pages, next_cursor=next_cursor)
