"""The lines of a page edited: added, merged, split, moved, deleted; and the latest edit undone.

A request that is repeated with its Idempotency-Key edits once: its answer is the page as it is then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import members_pb2, pages_pb2, transcriptions_pb2
from ketav_common.errors import NotFound, Precondition
from ketav_common.text import stored
from ketav_gateway.http.bodies import body_description, json_body
from ketav_gateway.http.dependencies import Gateway, ImageId, LineId, ProjectId
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.problem_codes import IDEMPOTENT, JSON_BODY, TEXT
from ketav_gateway.http.problems import responses
from ketav_gateway.http.validation import naming_field
from ketav_gateway.pages import convert, line_edits, schemas
from ketav_gateway.pages.line_schemas import ChangedLine, MergedLines, NewLine, Points, SplitLine
from ketav_gateway.services import call, check_role

router = APIRouter(prefix="/projects/{project_id}/images/{image_id}/lines", tags=["pages"])

_EDIT = (
    "not-found",
    "insufficient-role",
    "page-not-read",
    "lines-changed",
    "unknown-line",
    "line-count",
    "invalid-transcription",
    *IDEMPOTENT,
)
_Change = Callable[[line_edits.EditedPage, page_pb2.Image], None]
"""Changes the lines of a page, whose image is the second argument."""


@dataclass(frozen=True)
class _EditRequest:
    """A request that edits the lines of an image."""

    request: Request
    gateway: Gateway
    project_id: ProjectId
    image_id: ImageId
    key: IdempotencyKey

    async def edit(self, change: _Change, body: BaseModel | None = None) -> schemas.Page:
        """Store the lines as `change` leaves them; return the page as it is then.

        A request that has edited before changes nothing. Precondition page-not-read: the page has no lines.
        """
        await check_role(self.gateway.services, self.project_id, members_pb2.ROLE_EDITOR)
        page = await self._page()
        if not page.HasField("transcription"):
            raise Precondition(
                "The page has no lines yet. Read it first with POST "
                "/projects/PROJECT_ID/images/IMAGE_ID/ocr.",
                code="page-not-read",
            )
        sha256 = fingerprint(self.request, {} if body is None else body.model_dump())
        if self.key and await self._is_repeated(sha256):
            return convert.page(await self._page())  # a page that was read before may have the lines before
        edited = line_edits.EditedPage(list(page.transcription.lines))
        change(edited, page.image)
        request = transcriptions_pb2.EditLinesRequest(
            project_id=self.project_id,
            page_id=self.image_id,
            transcription_id=page.transcription.transcription_id,
            lines=edited.items,
            request_id=self.key,
            request_sha256=sha256,
        )
        services = self.gateway.services
        await call(services.transcriptions.EditLines, request, services.deadlines.store_s)
        return convert.page(await self._page())

    async def undo(self) -> schemas.Page:
        """Return to the lines before the latest edit, once for each key; return the page as it is then."""
        request = transcriptions_pb2.UndoLineEditRequest(
            project_id=self.project_id,
            page_id=self.image_id,
            request_id=self.key,
            request_sha256=fingerprint(self.request, {}),
        )
        services = self.gateway.services
        await call(services.transcriptions.UndoLineEdit, request, services.deadlines.store_s)
        return convert.page(await self._page())

    async def _page(self) -> pages_pb2.Page:
        """Return the page with its latest lines. NotFound: the caller has no such page."""
        request = pages_pb2.GetPageRequest(project_id=self.project_id, page_id=self.image_id)
        services = self.gateway.services
        return (await call(services.pages.GetPage, request, services.deadlines.short_s)).page

    async def _is_repeated(self, sha256: bytes) -> bool:
        """Return whether the request has edited before: it names lines that its own edit has replaced."""
        request = transcriptions_pb2.FindLineEditRequest(
            project_id=self.project_id,
            page_id=self.image_id,
            request_id=self.key,
            request_sha256=sha256,
        )
        services = self.gateway.services
        answer = await call(services.transcriptions.FindLineEdit, request, services.deadlines.short_s)
        return answer.found


_Request = Annotated[_EditRequest, Depends()]


def _position(edited: line_edits.EditedPage, line_id: str) -> int:
    """Return the position of the line that a path names. NotFound: the page has no such line."""
    position = edited.find(line_id)
    if position is None:
        raise NotFound
    return position


def _positions(points: Points) -> list[tuple[int, int]]:
    """Return points as pairs."""
    return [(x, y) for x, y in points]


def _texts(body: SplitLine) -> tuple[str, str]:
    """Return the texts of the parts of a line in stored form. InvalidInput: one cannot be stored."""
    texts = []
    for index, text in enumerate(body.texts):
        with naming_field(f"texts/{index}"):
            texts.append(stored(text))
    return texts[0], texts[1]


@router.post(
    "",
    status_code=201,
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(NewLine),
    summary="Add a line",
)
async def add_line(request: _Request, body: Annotated[NewLine, Depends(json_body(NewLine))]) -> schemas.Page:
    """Add a line that was not found; its text is a correction of it. Return the image with its lines."""

    def insert(edited: line_edits.EditedPage, image: page_pb2.Image) -> None:
        """Insert the line behind the one that it follows."""
        position = 0 if body.after is None else edited.index(body.after, "/after") + 1
        line = line_edits.drawn(_positions(body.boundary), _positions(body.baseline), image)
        edited.insert(position, line)

    return await request.edit(insert, body)


@router.post(
    "/merge",
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(MergedLines),
    summary="Merge lines",
)
async def merge_lines(
    request: _Request, body: Annotated[MergedLines, Depends(json_body(MergedLines))]
) -> schemas.Page:
    """Replace lines by one around them, with their texts joined. Return the image with its lines.

    It is corrected if all of them are. It trains, or measures, as they did.
    """

    def merge(edited: line_edits.EditedPage, _: page_pb2.Image) -> None:
        """Replace the lines by one."""
        indexes = [
            edited.index(line_id, f"/line_ids/{number}") for number, line_id in enumerate(body.line_ids)
        ]
        edited.replace(indexes, [line_edits.merged([edited.lines[index] for index in indexes])])

    return await request.edit(merge, body)


@router.post(
    "/undo",
    responses=responses("not-found", "insufficient-role", "page-not-read", "nothing-to-undo", *IDEMPOTENT),
    summary="Undo the latest edit of lines",
)
async def undo_line_edit(request: _Request) -> schemas.Page:
    """Return to the lines before the latest edit, with their corrections; a tainted model stays tainted."""
    return await request.undo()


@router.post(
    "/{line_id}/split",
    responses=responses(*JSON_BODY, *TEXT, *_EDIT),
    openapi_extra=body_description(SplitLine),
    summary="Split a line",
)
async def split_line(
    request: _Request, line_id: LineId, body: Annotated[SplitLine, Depends(json_body(SplitLine))]
) -> schemas.Page:
    """Replace a line by its right and its left part, with a text each. Return the image with its lines.

    The parts are corrected if the line is and the texts are its own; otherwise confirm or correct them.
    """
    texts = _texts(body)

    def split(edited: line_edits.EditedPage, _: page_pb2.Image) -> None:
        """Replace the line by its parts."""
        index = _position(edited, line_id)
        edited.replace([index], line_edits.split(edited.lines[index], texts, body.x))

    return await request.edit(split, body)


@router.patch(
    "/{line_id}",
    responses=responses(*JSON_BODY, *_EDIT),
    openapi_extra=body_description(ChangedLine),
    summary="Move or reshape a line",
)
async def change_line(
    request: _Request, line_id: LineId, body: Annotated[ChangedLine, Depends(json_body(ChangedLine))]
) -> schemas.Page:
    """Move a line in the reading order, replace its geometry, or both. Return the image with its lines.

    An order beyond the last line is the last. The text stays, and all lines of the image get new ids.
    """

    def change(edited: line_edits.EditedPage, image: page_pb2.Image) -> None:
        """Reshape the line, then move it."""
        index = _position(edited, line_id)
        if body.boundary is not None:
            boundary, baseline = _positions(body.boundary), _positions(body.baseline or [])
            edited.replace([index], [line_edits.changed(edited.lines[index], boundary, baseline, image)])
        if body.order is not None:
            edited.move(index, min(body.order, len(edited.items) - 1))

    return await request.edit(change, body)


@router.delete("/{line_id}", responses=responses(*_EDIT), summary="Delete a line")
async def delete_line(request: _Request, line_id: LineId) -> schemas.Page:
    """Delete a line with its corrections; model versions trained on it stop serving. Return the image."""

    def delete(edited: line_edits.EditedPage, _: page_pb2.Image) -> None:
        """Leave the line out."""
        edited.replace([_position(edited, line_id)], [])

    return await request.edit(delete)
