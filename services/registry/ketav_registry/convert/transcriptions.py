"""Conversion of transcriptions and their lines."""

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import transcriptions_pb2
from ketav_registry.convert import common
from ketav_registry.convert.corrections import quarantine_message
from ketav_registry.domain.transcriptions import Line, Polyline, RegionType, Transcription, Word

_REGIONS = {region: page_pb2.RegionType.Value(f"REGION_TYPE_{region.name}") for region in RegionType}


def polyline(points: list[page_pb2.Point]) -> Polyline:
    """Return the points of a polyline."""
    return tuple((point.x, point.y) for point in points)


def new_line(line: page_pb2.Line) -> Line:
    """Return a line that was read, without an id. `line_message` is the inverse."""
    return Line(
        order=line.order,
        baseline=polyline(list(line.baseline)),
        boundary=polyline(list(line.boundary)),
        text=line.text,
        confidence=line.confidence,
        character_confidences=tuple(line.character_confidences),
        words=tuple(Word(word.text, word.confidence, word.start, word.end) for word in line.words),
        region=common.choice(_REGIONS, line.region, RegionType.PARAGRAPH),
        character_extents=tuple((extent.start, extent.end) for extent in line.character_extents),
    )


def line_message(line: Line) -> page_pb2.Line:
    """Return the message of a line. `new_line` is the inverse."""
    return page_pb2.Line(
        line_id=str(line.line_id or ""),
        order=line.order,
        baseline=[page_pb2.Point(x=x, y=y) for x, y in line.baseline],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in line.boundary],
        text=line.text,
        confidence=line.confidence,
        character_confidences=line.character_confidences,
        words=[
            page_pb2.Word(text=word.text, confidence=word.confidence, start=word.start, end=word.end)
            for word in line.words
        ],
        character_extents=[page_pb2.Extent(start=start, end=end) for start, end in line.character_extents],
        corrected_text=line.corrected_text,
        quarantine=quarantine_message(line.quarantine),
        verified_text=line.verified_text,
        region=_REGIONS[line.region],
        correction_id=str(line.correction_id or ""),
    )


def transcription_message(transcription: Transcription) -> transcriptions_pb2.Transcription:
    """Return the message of a transcription."""
    return transcriptions_pb2.Transcription(
        transcription_id=str(transcription.transcription_id),
        model=None if transcription.model is None else common.model(transcription.model),
        lines=[line_message(line) for line in transcription.lines],
        create_time=common.timestamp(transcription.create_time),
    )
