"""Between the contract's messages and the recognizer's own types; the only module that sees both."""

import math
import unicodedata
from collections.abc import AsyncIterator, Sequence
from typing import Final

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav_common.chunks import joined
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IMAGE_BYTES
from ketav_engine.domain import Layout, Point, ReadLine, ReadPage
from ketav_recognizer.domain import ModelRef, Request

_LAYOUTS: Final[dict[int, Layout]] = {
    page_pb2.LAYOUT_UNSPECIFIED: "page",
    page_pb2.LAYOUT_PAGE: "page",
    page_pb2.LAYOUT_LINE: "line",
}

Stream = AsyncIterator[recognizer_pb2.RecognizePageRequest]
"""The messages of a call."""


async def receive_header(stream: Stream) -> Request:
    """Take the header from the front of a call; raise InvalidInput unless it is there and usable."""
    first = await anext(aiter(stream), None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidInput("the first message must be the header", code="no-header")
    header = first.header
    if header.layout not in _LAYOUTS:
        raise InvalidInput("the layout is not a known one", code="unknown-layout")
    return Request(_to_model(header.model), _LAYOUTS[header.layout], header.size_bytes, header.model.grant)


async def receive_image(stream: Stream, size_bytes: int) -> bytes:
    """Collect the chunks after the header, counting while they come; they must be `size_bytes` long."""
    image, _ = await joined(_chunks(stream), announced=size_bytes, limit=MAX_IMAGE_BYTES)
    return image


def to_response(page: ReadPage, model_version: str) -> recognizer_pb2.RecognizePageResponse:
    """Encode a read page; positions are kept inside the image, confidences between 0 and 1."""
    return recognizer_pb2.RecognizePageResponse(
        model_version=model_version,
        lines=[_to_line(line, order, page) for order, line in enumerate(page.lines)],
    )


async def _chunks(stream: Stream) -> AsyncIterator[bytes]:
    """Yield what the messages after the header carry."""
    async for message in stream:
        if message.WhichOneof("part") != "chunk":
            raise InvalidInput("after the header only chunks may come", code="second-header")
        yield message.chunk


def _to_model(model: page_pb2.Model) -> ModelRef:
    """Decode the model of a header; raise InvalidInput unless it can be fetched and checked."""
    if len(model.sha256) != 32:  # noqa: PLR2004 - bytes of a SHA-256
        raise InvalidInput("the model has no SHA-256", code="no-model")
    if model.size_bytes <= 0 or not model.version:
        raise InvalidInput("the model has no version or no length", code="no-model")
    return ModelRef(model.version, model.sha256.hex(), model.size_bytes)


def _to_line(line: ReadLine, order: int, page: ReadPage) -> page_pb2.Line:
    """Encode one line."""
    if not unicodedata.is_normalized("NFC", line.text) or len(line.confidences) != len(line.text):
        raise ValueError("the engine broke its promise: text in NFC with a confidence for each code point")
    words = [
        page_pb2.Word(text=word.text, confidence=_unit(word.confidence), start=word.start, end=word.end)
        for word in line.words
    ]
    return page_pb2.Line(
        order=order,
        baseline=_points(line.baseline, page),
        boundary=_points(line.boundary, page),
        text=line.text,
        confidence=_unit(line.confidence),
        character_confidences=[_unit(value) for value in line.confidences],
        words=words,
    )


def _points(points: Sequence[Point], page: ReadPage) -> list[page_pb2.Point]:
    """Encode positions, each moved to the nearest pixel of the image."""
    return [
        page_pb2.Point(x=min(max(round(x), 0), page.width - 1), y=min(max(round(y), 0), page.height - 1))
        for x, y in points
    ]


def _unit(value: float) -> float:
    """Return a confidence between 0 and 1; what is not a number is no confidence."""
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0
