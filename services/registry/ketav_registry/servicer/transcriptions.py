"""TranscriptionService."""

from ketav.registry.v1 import transcriptions_pb2 as pb
from ketav.registry.v1 import transcriptions_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import transcriptions as convert_transcriptions
from ketav_registry.database import Database
from ketav_registry.usecases import transcriptions


class TranscriptionServicer(transcriptions_pb2_grpc.TranscriptionServiceServicer):
    """Records transcriptions."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def RecordTranscription(
        self, request: pb.RecordTranscriptionRequest, context: object
    ) -> pb.RecordTranscriptionResponse:
        """Record what a model read."""
        user_id, page_id = current_user(), common.uuid(request.page_id, "page")
        lines = [convert_transcriptions.line(line) for line in request.lines]
        stored = await transcriptions.record_transcription(
            user_id, page_id, request.model_version, lines, database=self._database
        )
        return pb.RecordTranscriptionResponse(transcription=convert_transcriptions.transcription(stored))
