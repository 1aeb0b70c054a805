"""Transcriptions in memory."""

from typing import Any
from uuid import uuid4

from ketav.registry.v1 import pages_pb2, transcriptions_pb2, transcriptions_pb2_grpc
from ketav_common.errors import NotFound
from tests.parts.in_memory.pages import check_same_image, reading_model
from tests.parts.in_memory.state import TIME, State


class Transcriptions(transcriptions_pb2_grpc.TranscriptionServiceServicer):
    """Records readings."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def RecordTranscription(self, request: Any, context: Any) -> Any:
        """Store a reading as the page's latest transcription."""
        self.state.enter("RecordTranscription", request)
        user = self.state.caller()
        if request.page_id not in user.pages:
            raise NotFound("This account has no page with this id. Upload the image.")
        model = reading_model(user, request.model_version)
        stored = user.pages[request.page_id]
        check_same_image(stored, request.image_sha256)
        for line in request.lines:
            line.line_id = str(uuid4())
        transcription = transcriptions_pb2.Transcription(
            transcription_id=str(uuid4()), model=model, lines=request.lines, create_time=TIME
        )
        stored.message.state = pages_pb2.PAGE_STATE_READ
        stored.message.transcription.CopyFrom(transcription)
        stored.recorded_lines += len(request.lines)
        stored.first_reading = stored.first_reading or list(transcription.lines)
        return transcriptions_pb2.RecordTranscriptionResponse(transcription=transcription)
