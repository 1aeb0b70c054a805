"""Outlines of the words of an imported line: those of its document, also where its text was corrected since.

The words of the text are aligned with those of the document (Levenshtein, word by word). A word that replaces
one word has its outline; several words that replace others share the rectangle around these.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from ketav_gateway.transcriptions.word_boxes import Position, extent, outlines
from ketav_gateway.transcriptions.word_ends import Span


class Word(NamedTuple):
    """A word of the document, with the polygon around it."""

    text: str
    boundary: list[Position]


class _Block(NamedTuple):
    """Words of the document, and the words of the text in their place, by first index and the one after."""

    imported: slice
    words: slice


def imported_outlines(
    text: str, words: Sequence[Span], imported: Sequence[Word]
) -> list[list[Position] | None]:
    """Return the polygon of each word of a text; None for those that the document does not have."""
    known: list[list[Position] | None] = [None] * len(words)
    texts = [text[word.start : word.end] for word in words]
    for block in _blocks([word.text for word in imported], texts):
        source = [word.boundary for word in imported[block.imported]]
        if len(source) == block.words.stop - block.words.start:
            known[block.words] = source
        elif source:
            known[block.words] = _shared(text, words[block.words], source)
    return known


def _blocks(imported: Sequence[str], texts: Sequence[str]) -> Iterator[_Block]:
    """Yield the equal words of two sequences, and what lies between them in both."""
    operations = Levenshtein.opcodes(imported, texts)
    for _, group in groupby(operations, key=lambda operation: operation.tag == "equal"):
        run = list(group)
        first, last = run[0], run[-1]
        yield _Block(slice(first.src_start, last.src_end), slice(first.dest_start, last.dest_end))


def _shared(text: str, words: Sequence[Span], source: Sequence[list[Position]]) -> list[list[Position]]:
    """Return the parts of the rectangle around some polygons that words take by their characters."""
    left, top, right, bottom = extent([point for polygon in source for point in polygon])
    return outlines([], [(left, top), (right, top), (right, bottom), (left, bottom)], text, words)
