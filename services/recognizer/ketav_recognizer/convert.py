"""Converts between protobuf messages and the recognizer's own types."""

import math
import unicodedata
from collections.abc import AsyncIterator, Sequence
from typing import Final, get_args
from uuid import UUID

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav_common.chunks import joined
from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_IMAGE_BYTES
from ketav_engine.domain import Layout, Point, ReadLine, ReadPage, RegionType
from ketav_recognizer.domain import ModelRef, ReadingRequest

_LAYOUTS: Final[dict[int, Layout]] = {
    page_pb2.LAYOUT_UNSPECIFIED: "page",
    page_pb2.LAYOUT_PAGE: "page",
    page_pb2.LAYOUT_LINE: "line",
}
_REGIONS: Final = {
    name: page_pb2.RegionType.Value(f"REGION_TYPE_{name.replace('-', '_').upper()}")
    for name in get_args(RegionType)
}

Stream = AsyncIterator[recognizer_pb2.RecognizePageRequest]
"""The messages of a RecognizePage call."""
_SHA256_BYTES: Final = 32


async def receive_header(stream: Stream) -> ReadingRequest:
    """Return the header, the first message of a call; raises InvalidInput unless it is usable."""
    first = await anext(aiter(stream), None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidInput(
            "The first message of the call is not a header. Send the header before the chunks.",
            code="no-header",
        )
    header = first.header
    if header.layout not in _LAYOUTS:
        raise InvalidInput(
            f"The header's layout {header.layout} is unknown. Use LAYOUT_PAGE or LAYOUT_LINE.",
            code="unknown-layout",
        )
    return ReadingRequest(
        model=_to_model(header.model),
        layout=_LAYOUTS[header.layout],
        size_bytes=header.size_bytes,
        detect_turn=header.detect_turn,
        batch=header.batch,
    )


async def receive_image(stream: Stream, size_bytes: int) -> bytes:
    """Return the image of the chunks after the header; raises InvalidInput unless it has `size_bytes`."""
    image, _ = await joined(_chunks(stream), announced=size_bytes, limit=MAX_IMAGE_BYTES)
    return image


def to_response(page: ReadPage, model_version: str) -> recognizer_pb2.RecognizePageResponse:
    """Encode a page: points are clamped to the image, confidences to 0 to 1."""
    return recognizer_pb2.RecognizePageResponse(
        model_version=model_version,
        lines=[_to_line(line, order, page) for order, line in enumerate(page.lines)],
        turn=page.turn,
        warnings=page.warnings,
    )


def job_id(request: recognizer_pb2.EnqueueJobRequest) -> UUID:
    """Return the id of a job; raises InvalidInput for a text that is no UUID."""
    try:
        return UUID(request.job_id)
    except ValueError as error:
        raise InvalidInput(
            "The field job_id is not a UUID. Send the id that CreateJob returned.", code="invalid-id"
        ) from error


async def _chunks(stream: Stream) -> AsyncIterator[bytes]:
    """Yield the chunks of the messages after the header. InvalidInput second-header: one is not a chunk."""
    async for message in stream:
        if message.WhichOneof("part") != "chunk":
            raise InvalidInput(
                "A message after the header is not a chunk. Send one header, then chunks.",
                code="second-header",
            )
        yield message.chunk


def _to_model(model: page_pb2.Model) -> ModelRef:
    """Decode the model of a header; raises InvalidInput unless it can be fetched and checked."""
    if len(model.sha256) != _SHA256_BYTES or model.size_bytes <= 0 or not model.version:
        raise InvalidInput(
            "The header's model lacks a version, a SHA-256 or a length. "
            "Send the model that CreatePage returned.",
            code="no-model",
        )
    return ModelRef(model.version, model.sha256.hex(), model.size_bytes, model.grant)


def _to_line(line: ReadLine, order: int, page: ReadPage) -> page_pb2.Line:
    """Encode one line."""
    if not unicodedata.is_normalized("NFC", line.text) or len(line.confidences) != len(line.text):
        raise ValueError("the engine returned a text that is not NFC or lacks confidences of code points")
    if len(line.extents) not in {0, len(line.text)}:
        raise ValueError("the engine returned extents of some of the code points")
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
        region=_REGIONS[line.region],
        character_extents=[page_pb2.Extent(start=start, end=end) for start, end in line.extents],
    )


def _points(points: Sequence[Point], page: ReadPage) -> list[page_pb2.Point]:
    """Encode points, each moved to the nearest pixel of the image."""
    return [
        page_pb2.Point(x=min(max(round(x), 0), page.width - 1), y=min(max(round(y), 0), page.height - 1))
        for x, y in points
    ]


def _unit(value: float) -> float:
    """Return a confidence clamped to 0 to 1; NaN and infinities become 0."""
    return min(max(float(value), 0.0), 1.0) if math.isfinite(value) else 0.0
