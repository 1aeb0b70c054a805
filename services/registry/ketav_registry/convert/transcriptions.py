"""Transcriptions on the wire."""

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import transcriptions_pb2
from ketav_registry.convert import common
from ketav_registry.convert.corrections import quarantine
from ketav_registry.domain.transcriptions import Line, Polyline, Transcription, Word


def polyline(points: list[page_pb2.Point]) -> Polyline:
    """Read points."""
    return tuple((point.x, point.y) for point in points)


def line(found: page_pb2.Line) -> Line:
    """Read a line without its id."""
    return Line(
        order=found.order,
        baseline=polyline(list(found.baseline)),
        boundary=polyline(list(found.boundary)),
        text=found.text,
        confidence=found.confidence,
        character_confidences=tuple(found.character_confidences),
        words=tuple(Word(word.text, word.confidence, word.start, word.end) for word in found.words),
    )


def line_message(found: Line) -> page_pb2.Line:
    """Write a line."""
    return page_pb2.Line(
        line_id=str(found.line_id or ""),
        order=found.order,
        baseline=[page_pb2.Point(x=x, y=y) for x, y in found.baseline],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in found.boundary],
        text=found.text,
        confidence=found.confidence,
        character_confidences=found.character_confidences,
        words=[
            page_pb2.Word(text=word.text, confidence=word.confidence, start=word.start, end=word.end)
            for word in found.words
        ],
        corrected_text=found.corrected_text,
        quarantine=quarantine(found.quarantine),
    )


def transcription(found: Transcription) -> transcriptions_pb2.Transcription:
    """Write a reading."""
    return transcriptions_pb2.Transcription(
        transcription_id=str(found.transcription_id),
        model=None if found.model is None else common.model(found.model),
        lines=[line_message(each) for each in found.lines],
        create_time=common.timestamp(found.create_time),
    )
