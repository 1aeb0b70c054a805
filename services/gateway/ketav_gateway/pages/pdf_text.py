"""The invisible text of a searchable PDF: the words of a page, each over its ink.

A PDF has its glyphs in visual order; programs that extract text restore the logical order, each by rules of
its own. Marks make poppler and PDFium agree: a right-to-left mark ends a number or a Latin word for poppler,
which otherwise takes the punctuation after it for a part of it, and a left-to-right mark before a bracket
keeps PDFium from mirroring it, which poppler never does. PDFium returns the words of a Latin phrase on a
Hebrew page in reversed order, whatever the file says.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from math import hypot
from statistics import fmean
from typing import Final

from ketav_gateway.pages.regions import outline, page_lines
from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.schemas import CorrectedLine, PlacedWord, Position
from ketav_gateway.transcriptions.word_boxes import is_steep

RIGHT_TO_LEFT_MARK: Final = "\u200f"
LEFT_TO_RIGHT_MARK: Final = "\u200e"
GLYPH_WIDTH: Final = 0.5
"""Width of each glyph of the font, in font sizes; words are stretched to the width of their ink."""
_LAST_CODE: Final = 0xFFFD
_BRACKETS: Final = frozenset("()[]{}<>«»")
_CELL: Final = re.compile(
    r"[0-9A-Za-z\u00c0-\u024f](?:[0-9A-Za-z\u00c0-\u024f.,:/'+-]*[0-9A-Za-z\u00c0-\u024f])?"
    r"|.[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]*",
    re.DOTALL,
)
"""Parts of a word that keep their order from left to right: numbers, Latin words, letters with marks."""
_BAND: Final = 0.7
"""Size of the text as a share of the line's height: the lines of a page do not overlap."""
_MAX_GAP: Final = 0.4
"""Gap between words at most, in font sizes: poppler takes words more than 1.5 sizes apart for two lines."""
_MIN_GAP: Final = 0.3
"""Gap between words at least, in font sizes: with less, programs join words whose ink nearly touches."""
_MIN_SIZE: Final = 1.0
_LEAN: Final = 0.01
"""Tangent by which turned words lean: PDFium leaves out upright ones, whose glyphs have no width."""


def text_layer(page: Page, points_a_pixel: float) -> str:
    """Return the operators that draw the words of a page invisibly (ISO 32000-1, section 9)."""
    height = page.image.height
    drawn = (_line(line, height, points_a_pixel) for line in page_lines(page))
    return "\n".join(operators for operators in drawn if operators)


def _line(line: CorrectedLine, page_height: int, scale: float) -> str:
    """Return the operators that draw the words of a line from left to right; none without words.

    All words are level at the middle of the line: programs that extract text take the words of a line that
    rises or falls for several lines. Turned writing runs up or down the page.
    """
    words: Sequence[PlacedWord] = line.words if line.verified_words is None else line.verified_words
    if not words:
        return ""
    along, across = _axes(line)
    ranges = [(_range(word.boundary, along), _range(word.boundary, across)) for word in words]
    boxes = sorted(zip(ranges, _visual_words(words), strict=True))
    height = _height(line, across)
    size = max(height * _BAND * scale, _MIN_SIZE)
    ends = _spaced([box for (box, _), _ in boxes], size / scale)
    depth = fmean((low + high) / 2 for (_, (low, high)), _ in boxes) + _BAND / 3 * height
    operators = [f"/F0 {size:.2f} Tf"]
    turn = f"{_LEAN} {-along[1]} {along[1]} {_LEAN}" if along[1] else "1 0 0 1"
    for (_, visual), (left, right) in zip(boxes, ends, strict=True):
        stretch = 100 * max(right - left, 1) * scale / (max(len(visual), 1) * GLYPH_WIDTH * size)
        x, y = (left * along[axis] + depth * across[axis] for axis in (0, 1))
        operators.append(f"{stretch:.2f} Tz {turn} {x * scale:.2f} {(page_height - y) * scale:.2f} Tm")
        operators.append(f"<{encoded(visual)}> Tj")
    return "\n".join(operators)


def _axes(line: CorrectedLine) -> tuple[Position, Position]:
    """Return the directions along and across a line, in pixels: level, or up or down the page."""
    if not is_steep(line.baseline):
        return (1, 0), (0, 1)
    return ((0, 1), (-1, 0)) if line.baseline[-1][1] > line.baseline[0][1] else ((0, -1), (1, 0))


def _range(points: Sequence[Position], axis: Position) -> tuple[int, int]:
    """Return how far points extend along an axis."""
    along = [x * axis[0] + y * axis[1] for x, y in points]
    return min(along), max(along)


def _height(line: CorrectedLine, axis: Position) -> float:
    """Return the height of a line's boundary across its baseline in pixels: along `axis` if it is turned."""
    if is_steep(line.baseline):
        low, high = _range(outline(line), axis)
        return high - low
    points = line.baseline or outline(line)
    (x0, y0), (x1, y1) = min(points), max(points)
    slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
    across = [y - slope * x for x, y in outline(line)]
    return (max(across) - min(across)) / hypot(1, slope)


def _spaced(ends: Sequence[tuple[float, float]], size: float) -> list[tuple[float, float]]:
    """Return the ends of words from left to right, moved until each gap is as wide as a space may be.

    `size` is the size of the font in pixels. A wide gap is taken for two lines, a narrow one for none.
    """
    spaced = list(ends)
    for index in range(len(spaced) - 1):
        (left, right), (next_left, next_right) = spaced[index], spaced[index + 1]
        gap = next_left - right
        change = (gap - min(max(gap, _MIN_GAP * size), _MAX_GAP * size)) / 2
        spaced[index] = left, max(right + change, left + 1)
        spaced[index + 1] = min(next_left - change, next_right - 1), next_right
    return spaced


def encoded(text: str) -> str:
    """Return the code of each glyph, its code point, in hexadecimal digits; U+FFFD for one beyond 16 bits."""
    return "".join(f"{min(ord(character), _LAST_CODE):04X}" for character in text)


def _visual_words(words: Sequence[PlacedWord]) -> Iterator[str]:
    """Yield the glyphs of each word from left to right; the first word of a Latin phrase ends the phrase."""
    in_phrase = False
    for word in words:
        text = "".join(character for character in word.text if unicodedata.category(character)[0] != "C")
        classes = {unicodedata.bidirectional(character) for character in text}
        latin = "L" in classes and not classes & {"R", "AL"}
        yield _visual(text, ends_phrase=not (latin and in_phrase))
        in_phrase = latin


def _visual(word: str, *, ends_phrase: bool) -> str:
    """Return the glyphs of a word from left to right, with marks."""
    glyphs = ""
    for cell in _CELL.findall(word):
        mark = "" if unicodedata.bidirectional(cell[0]) in {"R", "AL"} else RIGHT_TO_LEFT_MARK
        if cell[0] in _BRACKETS:
            glyphs = mark + cell + LEFT_TO_RIGHT_MARK + glyphs
        elif cell[0].isalnum() and mark:
            glyphs = (mark if ends_phrase else "") + cell + glyphs
        else:
            glyphs = mark + cell[::-1] + glyphs
    return glyphs
