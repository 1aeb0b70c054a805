"""A recognizer that reads the same two lines on every image."""

import asyncio
from typing import Any

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav_common.errors import InvalidInput
from tests.parts.in_memory.state import State

TEXT = "שלום עולם"
SECOND_TEXT = "שורה שנייה"


class Recognizer(recognizer_pb2_grpc.RecognizerServiceServicer):
    """Reads images after `State.recognize_s` seconds."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def EnqueueJob(self, request: Any, context: Any) -> Any:
        """Accept the announcement of a job."""
        self.state.enter("EnqueueJob", request)
        return recognizer_pb2.EnqueueJobResponse()

    async def RecognizePage(self, request_iterator: Any, context: Any) -> Any:
        """Return two lines; raises InvalidInput when the image is incomplete."""
        parts = [part async for part in request_iterator]
        header, data = parts[0].header, b"".join(part.chunk for part in parts[1:])
        self.state.enter("RecognizePage", header)
        await asyncio.sleep(self.state.recognize_s)
        if len(data) != header.size_bytes:
            raise InvalidInput("The image is incomplete. Send it again.", code="size-mismatch")
        lines = [_line(order, text) for order, text in enumerate((TEXT, SECOND_TEXT))]
        turn = self.state.turn if header.detect_turn else 0
        return recognizer_pb2.RecognizePageResponse(
            model_version=header.model.version, lines=lines, turn=turn
        )


def _line(order: int, text: str) -> page_pb2.Line:
    """Return a line with its words."""
    top = 40 * order
    words, start = [], 0
    for word in text.split(" "):
        end = start + len(word)
        words.append(page_pb2.Word(text=word, confidence=0.9, start=start, end=end))
        start = end + 1
    return page_pb2.Line(
        order=order,
        baseline=[page_pb2.Point(x=10, y=top + 30), page_pb2.Point(x=90, y=top + 30)],
        boundary=[
            page_pb2.Point(x=x, y=y) for x, y in ((10, top), (90, top), (90, top + 38), (10, top + 38))
        ],
        text=text,
        confidence=0.9,
        words=words,
    )
