"""TranscriptionService."""

from ketav.registry.v1 import transcriptions_pb2 as pb
from ketav.registry.v1 import transcriptions_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import transcriptions as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import transcriptions


class TranscriptionServicer(transcriptions_pb2_grpc.TranscriptionServiceServicer):
    """Records transcriptions."""

    def __init__(self, stores: Stores) -> None:
        """Work with these stores."""
        self._stores = stores

    async def RecordTranscription(
        self, request: pb.RecordTranscriptionRequest, context: object
    ) -> pb.RecordTranscriptionResponse:
        """Store what a model read on a page."""
        page_id = common.uuid(request.page_id, "page_id")
        lines = [convert.new_line(line) for line in request.lines]
        transcription = await transcriptions.record_transcription(
            current_user(),
            page_id,
            request.model_version,
            lines,
            image_sha256=request.image_sha256,
            stores=self._stores,
        )
        return pb.RecordTranscriptionResponse(transcription=convert.transcription_message(transcription))
