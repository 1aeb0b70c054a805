"""Transcriptions in memory."""

from typing import Any
from uuid import uuid4

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import erasure_pb2, members_pb2, pages_pb2, transcriptions_pb2, transcriptions_pb2_grpc
from ketav_common.errors import Changed, InvalidInput, NotFound, Precondition
from tests.parts.in_memory.pages import check_same_image, reading_model
from tests.parts.in_memory.state import TIME, State, StoredPage, correct_line, list_part

_EDIT = "EditLines"
"""Under this name the requests that edit or undo are remembered: they share their keys."""


class Transcriptions(transcriptions_pb2_grpc.TranscriptionServiceServicer):
    """Records readings, and edits their lines."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def RecordTranscription(self, request: Any, context: Any) -> Any:
        """Store a reading as the page's latest transcription."""
        self.state.enter("RecordTranscription", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        if request.page_id not in user.pages:
            raise NotFound("This account has no page with this id. Upload the image.")
        stored = user.pages[request.page_id]
        if user.repeated(
            _EDIT, request.request_id, request.request_sha256
        ) is not None and stored.message.HasField("transcription"):
            return transcriptions_pb2.RecordTranscriptionResponse(transcription=stored.message.transcription)
        model = reading_model(user, request.model_version)
        check_same_image(stored, request.image_sha256)
        for line in request.lines:
            line.line_id = str(uuid4())
        transcription = transcriptions_pb2.Transcription(
            transcription_id=str(uuid4()), model=model, lines=request.lines, create_time=TIME
        )
        present = [code for code in stored.message.image.warnings if not code.startswith("reading-")]
        stored.message.image.warnings[:] = [*present, *request.warnings]
        stored.message.state = pages_pb2.PAGE_STATE_READ
        stored.message.transcription.CopyFrom(transcription)
        stored.edits.clear()
        stored.recorded_lines += len(request.lines)
        stored.first_reading = stored.first_reading or list(transcription.lines)
        response = transcriptions_pb2.RecordTranscriptionResponse(transcription=transcription)
        user.remember(_EDIT, request.request_id, request.request_sha256, response)
        return response

    async def SearchLines(self, request: Any, context: Any) -> Any:
        """Return the lines that contain the query as it is; the rules of Hebrew are not applied."""
        self.state.enter("SearchLines", request)
        user = self.state.scope(request.project_id)
        if request.project_id:
            user.project(request.project_id)
        projects = [request.project_id] if request.project_id else list(user.projects)
        if not any(character.isalnum() for character in request.query):
            raise InvalidInput(
                "The query has no letter and no digit. Send at least one word.",
                code="empty-query",
                details={"pointer": "q"},
            )
        hits = [
            transcriptions_pb2.SearchHit(
                project_id=project_id,
                page_id=stored.message.page_id,
                line=line,
                score=1.0,
                matches=[transcriptions_pb2.Match(start=start, end=start + len(request.query))],
            )
            for project_id in projects
            for stored in user.pages_of(project_id)
            for line in stored.lines()
            if request.query in line.text.split() and (start := line.text.index(request.query)) >= 0
        ]
        part, cursor = list_part(hits, request.cursor, request.limit or 20)
        return transcriptions_pb2.SearchLinesResponse(hits=part, next_cursor=cursor)

    async def EditLines(self, request: Any, context: Any) -> Any:
        """Store the lines of a page as another transcription."""
        self.state.enter("EditLines", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        stored = user.page(request.project_id, request.page_id)
        if user.repeated(_EDIT, request.request_id, request.request_sha256) is not None:
            return transcriptions_pb2.EditLinesResponse(consequences=erasure_pb2.Erasure())
        known = stored.message.transcription
        if not stored.message.HasField("transcription"):
            raise Precondition("The page has no lines yet. Read it first.", code="page-not-read")
        if known.transcription_id != request.transcription_id:
            raise Changed("The lines have changed since. Get the image again.", code="lines-changed")
        edited = transcriptions_pb2.Transcription(
            transcription_id=str(uuid4()), create_time=TIME, edited=True, lines=_edited(stored, request.lines)
        )
        if known.HasField("model"):
            edited.model.CopyFrom(known.model)
        stored.edits.append(transcriptions_pb2.Transcription())
        stored.edits[-1].CopyFrom(known)
        known.CopyFrom(edited)
        response = transcriptions_pb2.EditLinesResponse(consequences=self.state.erasure)
        user.remember(_EDIT, request.request_id, request.request_sha256, response)
        return response

    async def UndoLineEdit(self, request: Any, context: Any) -> Any:
        """Return to the lines before the latest edit."""
        self.state.enter("UndoLineEdit", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        stored = user.page(request.project_id, request.page_id)
        if user.repeated(_EDIT, request.request_id, request.request_sha256) is not None:
            return transcriptions_pb2.UndoLineEditResponse()
        if not stored.edits:
            raise Precondition("No edit can be undone. Edit a line first.", code="nothing-to-undo")
        stored.message.transcription.CopyFrom(stored.edits.pop())
        response = transcriptions_pb2.UndoLineEditResponse()
        user.remember(_EDIT, request.request_id, request.request_sha256, response)
        return response

    async def FindLineEdit(self, request: Any, context: Any) -> Any:
        """Return whether a request has edited lines."""
        self.state.enter("FindLineEdit", request)
        user = self.state.scope(request.project_id, members_pb2.ROLE_EDITOR)
        user.page(request.project_id, request.page_id)
        known = user.repeated(_EDIT, request.request_id, request.request_sha256)
        return transcriptions_pb2.FindLineEditResponse(found=known is not None)


def _edited(stored: StoredPage, items: Any) -> list[page_pb2.Line]:
    """Return the lines of an edit with new ids; those that stay have their corrections."""
    known = {line.line_id: line for line in stored.lines()}
    ids = [item.line_id for item in items if item.HasField("line_id")]
    if len(set(ids)) != len(ids):
        raise InvalidInput("A line is in the request twice. Send it once.", code="duplicate-line")
    replaced = {line_id for item in items for line_id in item.replaced_line_ids}
    if not {*ids, *replaced} <= known.keys():
        raise InvalidInput("A line is not on the page. Use the page's line ids.", code="unknown-line")
    lines = []
    for order, item in enumerate(items):
        line = page_pb2.Line()
        line.CopyFrom(known[item.line_id] if item.HasField("line_id") else item.new_line)
        line.line_id, line.order = str(uuid4()), order
        if item.HasField("corrected_text"):
            correct_line(line, item.corrected_text, None)
        lines.append(line)
    return lines
