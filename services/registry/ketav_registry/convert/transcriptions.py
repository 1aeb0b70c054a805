"""Conversion of transcriptions and their lines."""

from collections.abc import Iterable

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import transcriptions_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.convert.corrections import quarantine_message
from ketav_registry.domain.transcriptions import (
    EditedLine,
    ImportedWord,
    Line,
    Polyline,
    RegionType,
    Transcription,
    Word,
)

_REGIONS = {region: page_pb2.RegionType.Value(f"REGION_TYPE_{region.name}") for region in RegionType}


def polyline(points: list[page_pb2.Point]) -> Polyline:
    """Return the points of a polyline."""
    return tuple((point.x, point.y) for point in points)


def imported_words(words: Iterable[page_pb2.ImportedWord]) -> tuple[ImportedWord, ...]:
    """Return the words of an imported line."""
    return tuple(ImportedWord(word.text, polyline(list(word.boundary))) for word in words)


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
        imported_words=[
            page_pb2.ImportedWord(
                text=word.text, boundary=[page_pb2.Point(x=x, y=y) for x, y in word.boundary]
            )
            for word in line.imported_words
        ],
        correction_id=str(line.correction_id or ""),
        author=line.author,
    )


def edited_line(line: transcriptions_pb2.EditedLine, index: int) -> EditedLine:
    """Return a line of an edited page; raises InvalidInput for one without an id and without a new line."""
    replaced = tuple(
        common.uuid(value, f"lines/{index}/replaced_line_ids") for value in line.replaced_line_ids
    )
    match line.WhichOneof("line"):
        case "line_id":
            return EditedLine(common.uuid(line.line_id, f"lines/{index}/line_id"))
        case "new_line":
            text = line.corrected_text if line.HasField("corrected_text") else None
            return EditedLine(None, new_line(line.new_line), text, replaced)
        case None:
            raise InvalidInput(
                f"/lines/{index} has neither an id nor a new line. Send one of them.",
                details={"pointer": f"/lines/{index}"},
            )


def transcription_message(transcription: Transcription) -> transcriptions_pb2.Transcription:
    """Return the message of a transcription."""
    return transcriptions_pb2.Transcription(
        transcription_id=str(transcription.transcription_id),
        model=None if transcription.model is None else common.model(transcription.model),
        lines=[line_message(line) for line in transcription.lines],
        create_time=common.timestamp(transcription.create_time),
        edited=transcription.edited_from is not None,
    )
