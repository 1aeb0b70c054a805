"""TranscriptionService."""

from ketav.registry.v1 import transcriptions_pb2 as pb
from ketav.registry.v1 import transcriptions_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import transcriptions as convert
from ketav_registry.convert import transcriptions_search as convert_search
from ketav_registry.convert.erasure import erasure
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.domain.transcriptions import EditRequest, LineEdit
from ketav_registry.stores import Stores
from ketav_registry.usecases import transcriptions, transcriptions_lines, transcriptions_search


def _edit_request(
    request: pb.EditLinesRequest | pb.UndoLineEditRequest | pb.FindLineEditRequest,
) -> EditRequest:
    """Return the page and the key of a request that edits lines."""
    return EditRequest(
        common.uuid(request.project_id, "project_id"),
        common.uuid(request.page_id, "image_id"),
        common.request_key(request.request_id, request.request_sha256),
    )


class TranscriptionServicer(transcriptions_pb2_grpc.TranscriptionServiceServicer):
    """Records transcriptions, edits their lines, and searches them."""

    def __init__(self, stores: Stores, limits: QuarantineLimits) -> None:
        """Work with these stores; texts of edited lines beyond the limits are quarantined."""
        self._stores = stores
        self._limits = limits

    async def RecordTranscription(
        self, request: pb.RecordTranscriptionRequest, context: object
    ) -> pb.RecordTranscriptionResponse:
        """Store what a model read on a page."""
        page_id = common.uuid(request.page_id, "page_id")
        lines = [convert.new_line(line) for line in request.lines]
        reading = transcriptions.Reading(
            request.model_version, lines, request.image_sha256, list(request.warnings)
        )
        transcription = await transcriptions.record_transcription(
            current_user(),
            page_id,
            reading,
            common.request_key(request.request_id, request.request_sha256),
            project_id=common.uuid(request.project_id, "project_id") if request.project_id else None,
            stores=self._stores,
        )
        return pb.RecordTranscriptionResponse(transcription=convert.transcription_message(transcription))

    async def EditLines(self, request: pb.EditLinesRequest, context: object) -> pb.EditLinesResponse:
        """Store edited lines of a page."""
        consequences = await transcriptions_lines.edit_lines(
            current_user(),
            LineEdit(
                _edit_request(request),
                common.uuid(request.transcription_id, "transcription_id"),
                [convert.edited_line(line, index) for index, line in enumerate(request.lines)],
            ),
            limits=self._limits,
            stores=self._stores,
        )
        return pb.EditLinesResponse(consequences=erasure(consequences))

    async def UndoLineEdit(self, request: pb.UndoLineEditRequest, context: object) -> pb.UndoLineEditResponse:
        """Store the lines before the latest edit of a page."""
        await transcriptions_lines.undo_line_edit(current_user(), _edit_request(request), stores=self._stores)
        return pb.UndoLineEditResponse()

    async def FindLineEdit(self, request: pb.FindLineEditRequest, context: object) -> pb.FindLineEditResponse:
        """Return whether a request has edited the lines of a page, or recorded a reading of it."""
        is_repeated = await transcriptions_lines.find_line_edit(
            current_user(), _edit_request(request), stores=self._stores
        )
        return pb.FindLineEditResponse(found=is_repeated)

    async def SearchLines(self, request: pb.SearchLinesRequest, context: object) -> pb.SearchLinesResponse:
        """Search the lines of the pages that the caller sees."""
        project_id = common.uuid(request.project_id, "project_id") if request.project_id else None
        limit = common.limit(request.limit, default=20, maximum=100)
        start = convert_search.search_position(request)
        hits = await transcriptions_search.search_lines(
            current_user(), request.query, project_id, stores=self._stores
        )
        return convert_search.search_response(hits, request, start, limit)
