"""Ground-truth imports in memory."""

from typing import Any
from uuid import uuid4

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    ground_truth_pb2,
    ground_truth_pb2_grpc,
    members_pb2,
    pages_pb2,
    transcriptions_pb2,
)
from tests.parts.in_memory.pages import check_hand, insert_page, received
from tests.parts.in_memory.state import TIME, State, StoredPage, User, correct_line


class GroundTruth(ground_truth_pb2_grpc.GroundTruthServiceServicer):
    """Imports images with known lines. The gateway does not call ExportGroundTruth."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    ExportGroundTruth = None  # type: ignore[assignment]

    async def ImportGroundTruth(self, request_iterator: Any, context: Any) -> Any:
        """Store an image with its lines; an image that the project has already is the same page."""
        header, data = await received(request_iterator)
        self.state.enter("ImportGroundTruth", header)
        user = self.state.scope(header.project_id, members_pb2.ROLE_EDITOR)
        check_hand(user.project(header.project_id), header.hand)
        known = user.repeated("ImportGroundTruth", header.request_id, header.request_sha256)
        if known is not None:
            return known
        stored = _page(user, header, data)
        response = ground_truth_pb2.ImportGroundTruthResponse(page_id=stored.message.page_id)
        for index, known_line in enumerate(header.lines):
            line = stored.message.transcription.lines[index]
            if line.HasField("corrected_text") and line.corrected_text == known_line.text:
                continue
            quarantine = self.state.quarantine(known_line.text, confirmed=header.confirm)
            correct_line(line, known_line.text, quarantine, self.state.caller().name)
            stored.corrections += 1
            response.imported_lines += 1
            if quarantine is not None:
                response.quarantined.add(line=index, quarantine=quarantine)
        response.ground_truth_lines = user.ground_truth_lines()
        user.remember("ImportGroundTruth", header.request_id, header.request_sha256, response)
        return response


def _page(user: User, header: Any, data: bytes) -> StoredPage:
    """Return the page of an image with a transcription that has the imported geometry."""
    same = (stored for stored in user.pages_of(header.project_id) if stored.image == data)
    stored = next(same, None) or insert_page(user, header.project_id, header, data)
    geometry = [(list(line.baseline), list(line.boundary)) for line in header.lines]
    if geometry == [(list(line.baseline), list(line.boundary)) for line in stored.lines()]:
        return stored
    lines = [
        page_pb2.Line(
            line_id=str(uuid4()),
            order=order,
            baseline=line.baseline,
            boundary=line.boundary,
            confidence=1.0,
            imported_words=line.words,
        )
        for order, line in enumerate(header.lines)
    ]
    stored.message.state = pages_pb2.PAGE_STATE_READ
    stored.message.transcription.CopyFrom(
        transcriptions_pb2.Transcription(transcription_id=str(uuid4()), lines=lines, create_time=TIME)
    )
    stored.recorded_lines += len(lines)
    return stored
