"""Words of lines from protobuf to JSON, each with its polygon."""

from collections.abc import Iterable

from rapidfuzz.distance import Levenshtein

from ketav.page.v1 import page_pb2
from ketav_gateway.transcriptions import schemas
from ketav_gateway.transcriptions.imported_words import Word, imported_outlines
from ketav_gateway.transcriptions.word_boxes import outlines, spans
from ketav_gateway.transcriptions.word_ends import Reading, Span

_CONFIDENCE_DIGITS = 4
"""Decimal places of a confidence: a float32 of the network has no more significant digits."""


def confidence(value: float) -> float:
    """Return a confidence with the digits that JSON shows."""
    return round(value, _CONFIDENCE_DIGITS)


def read_words(line: page_pb2.Line) -> list[schemas.Word]:
    """Return the words of a line's reading."""
    positions = [Span(word.start, word.end) for word in line.words]
    return [
        schemas.Word(
            text=word.text,
            confidence=confidence(word.confidence),
            start=word.start,
            end=word.end,
            boundary=boundary,
        )
        for word, boundary in zip(line.words, _outlines(line, line.text, positions), strict=True)
    ]


def verified_words(line: page_pb2.Line) -> list[schemas.VerifiedWord]:
    """Return the words of a line's verified text; those that were read have a confidence."""
    text = line.verified_text
    positions = spans(text)
    texts = [text[word.start : word.end] for word in positions]
    confidences: list[float | None] = [None] * len(texts)
    for block in Levenshtein.opcodes([word.text for word in line.words], texts):
        if block.tag == "equal":
            read = line.words[block.src_start : block.src_end]
            confidences[block.dest_start : block.dest_end] = [confidence(word.confidence) for word in read]
    return [
        schemas.VerifiedWord(
            text=word, confidence=certainty, start=position.start, end=position.end, boundary=boundary
        )
        for word, certainty, position, boundary in zip(
            texts, confidences, positions, _outlines(line, text, positions), strict=True
        )
    ]


def boundaries(line: page_pb2.Line, text: str, positions: list[Span]) -> list[list[schemas.Position]]:
    """Return the polygons of some words of a text of a line, its reading or a corrected one."""
    words = spans(text)
    placed = dict(zip(words, _outlines(line, text, words), strict=True))
    return [placed[position] for position in positions]


def _outlines(line: page_pb2.Line, text: str, positions: list[Span]) -> list[list[schemas.Position]]:
    """Return the polygons of the words of a text."""
    extents = [(extent.start, extent.end) for extent in line.character_extents]
    estimated = outlines(
        _positions(line.baseline), _positions(line.boundary), text, positions, Reading(line.text, extents)
    )
    if not line.imported_words:
        return estimated
    imported = [Word(word.text, _positions(word.boundary)) for word in line.imported_words]
    known = imported_outlines(text, positions, imported)
    return [own or other for own, other in zip(known, estimated, strict=True)]


def _positions(points: Iterable[page_pb2.Point]) -> list[schemas.Position]:
    """Return points as JSON shows them."""
    return [(point.x, point.y) for point in points]
