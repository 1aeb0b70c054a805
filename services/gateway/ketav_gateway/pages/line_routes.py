"""The lines of a page edited: added, merged, split, moved, deleted; and the latest edit undone."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common.errors import NotFound, Precondition
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Components, Gateway, ImageId, LinePath, ProjectId
from ketav_gateway.http.idempotency import idempotency_key
from ketav_gateway.http.problem_codes import JSON_BODY
from ketav_gateway.http.problems import responses
from ketav_gateway.pages import convert, line_edits, schemas
from ketav_gateway.pages.line_schemas import ChangedLine, MergedLines, NewLine, Points, SplitLine
from ketav_gateway.services import call

router = APIRouter(
    prefix="/projects/{project_id}/images/{image_id}/lines",
    tags=["pages"],
    dependencies=[Depends(idempotency_key)],
)

_EDIT = (
    "not-found",
    "page-not-read",
    "lines-changed",
    "unknown-line",
    "line-count",
    "invalid-transcription",
    "malformed-idempotency-key",
)


async def _page(gateway: Components, project_id: str, image_id: str) -> pages_pb2.Page:
    """Return a page of the caller that has been read. Precondition page-not-read: it has no lines."""
    request = pages_pb2.GetPageRequest(project_id=project_id, page_id=image_id)
    response = await call(gateway.services.pages.GetPage, request, gateway.services.deadlines.short_s)
    if not response.page.HasField("transcription"):
        raise Precondition(
            "The page has no lines yet. Read it first with POST /projects/PROJECT_ID/images/IMAGE_ID/ocr.",
            code="page-not-read",
        )
    return response.page


async def _store(gateway: Components, page: pages_pb2.Page, edited: line_edits.EditedPage) -> schemas.Page:
    """Store edited lines and return the page as it is then."""
    request = transcriptions_pb2.EditLinesRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        transcription_id=page.transcription.transcription_id,
        lines=edited.items,
    )
    services = gateway.services
    await call(services.transcriptions.EditLines, request, services.deadlines.store_s)
    return convert.page(await _page(gateway, page.project_id, page.page_id))


def _edited(page: pages_pb2.Page) -> line_edits.EditedPage:
    """Return the lines of a page to edit."""
    return line_edits.EditedPage(list(page.transcription.lines))


def _position(edited: line_edits.EditedPage, line: LinePath) -> int:
    """Return the position of the line that a path names. NotFound: the page has no such line."""
    position = edited.find(line.line_id)
    if position is None:
        raise NotFound
    return position


def _positions(points: Points) -> list[tuple[int, int]]:
    """Return points as pairs."""
    return [(x, y) for x, y in points]


@router.post(
    "",
    status_code=201,
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(NewLine),
    summary="Add a line",
)
async def add_line(
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    body: Annotated[NewLine, Depends(json_body(NewLine))],
) -> schemas.Page:
    """Add a line that was not found; its text is a correction of it. Return the image with its lines."""
    page = await _page(gateway, project_id, image_id)
    edited = _edited(page)
    position = 0 if body.after is None else edited.index(body.after) + 1
    line = line_edits.drawn(_positions(body.boundary), _positions(body.baseline), page.image)
    edited.insert(position, line)
    return await _store(gateway, page, edited)


@router.post(
    "/merge",
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(MergedLines),
    summary="Merge lines",
)
async def merge_lines(
    gateway: Gateway,
    project_id: ProjectId,
    image_id: ImageId,
    body: Annotated[MergedLines, Depends(json_body(MergedLines))],
) -> schemas.Page:
    """Replace lines by one around them, with their texts joined. Return the image with its lines.

    It is corrected if all of them are. It trains, or measures, as they did.
    """
    page = await _page(gateway, project_id, image_id)
    edited = _edited(page)
    indexes = [edited.index(line_id) for line_id in body.line_ids]
    edited.replace(indexes, [line_edits.merged([edited.lines[index] for index in indexes])])
    return await _store(gateway, page, edited)


@router.post(
    "/undo",
    responses=responses("not-found", "page-not-read", "nothing-to-undo", "malformed-idempotency-key"),
    summary="Undo the latest edit of lines",
)
async def undo_line_edit(gateway: Gateway, project_id: ProjectId, image_id: ImageId) -> schemas.Page:
    """Return to the lines before the latest edit, with their corrections; a tainted model stays tainted."""
    request = transcriptions_pb2.UndoLineEditRequest(project_id=project_id, page_id=image_id)
    services = gateway.services
    await call(services.transcriptions.UndoLineEdit, request, services.deadlines.store_s)
    return convert.page(await _page(gateway, project_id, image_id))


@router.post(
    "/{line_id}/split",
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(SplitLine),
    summary="Split a line",
)
async def split_line(
    gateway: Gateway,
    line: Annotated[LinePath, Depends()],
    body: Annotated[SplitLine, Depends(json_body(SplitLine))],
) -> schemas.Page:
    """Replace a line by its right and its left part, with a text each. Return the image with its lines.

    The parts are corrected if the line is and the texts are its own; otherwise confirm or correct them.
    """
    page = await _page(gateway, line.project_id, line.image_id)
    edited = _edited(page)
    index = _position(edited, line)
    texts = (body.texts[0], body.texts[1])
    edited.replace([index], line_edits.split(edited.lines[index], texts, body.x))
    return await _store(gateway, page, edited)


@router.patch(
    "/{line_id}",
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(ChangedLine),
    summary="Move or reshape a line",
)
async def change_line(
    gateway: Gateway,
    line: Annotated[LinePath, Depends()],
    body: Annotated[ChangedLine, Depends(json_body(ChangedLine))],
) -> schemas.Page:
    """Move a line in the reading order, replace its geometry, or both. Return the image with its lines.

    An order beyond the last line is the last. A boundary without a baseline gets a level one. The text stays,
    and all lines of the image get new ids.
    """
    page = await _page(gateway, line.project_id, line.image_id)
    edited = _edited(page)
    index = _position(edited, line)
    if body.boundary is not None:
        baseline = _positions(body.baseline or [])
        known = edited.lines[index]
        edited.replace([index], [line_edits.changed(known, _positions(body.boundary), baseline, page.image)])
    if body.order is not None:
        edited.move(index, min(body.order, len(edited.items) - 1))
    return await _store(gateway, page, edited)


@router.delete("/{line_id}", responses=responses(*_EDIT), summary="Delete a line")
async def delete_line(gateway: Gateway, line: Annotated[LinePath, Depends()]) -> schemas.Page:
    """Delete a line with its corrections; model versions trained on it stop serving. Return the image."""
    page = await _page(gateway, line.project_id, line.image_id)
    edited = _edited(page)
    edited.replace([_position(edited, line)], [])
    return await _store(gateway, page, edited)
