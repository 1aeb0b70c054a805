"""Boxes of words: the parts of a line's boundary that its words take, in pixels of the stored image.

The network that has read a line knows where its characters are (`word_ends`). An imported line has the words
of its document (`imported_words`), or its words share it by their number of characters. The words of a Hebrew
line follow each other from right to left, those of a run of Latin words from left to right.
"""

import re
import unicodedata
from collections.abc import Sequence
from math import hypot

from ketav_gateway.transcriptions.word_ends import UNKNOWN, Ends, Reading, Span, word_ends

Position = tuple[int, int]
_WORD = re.compile(r"\S+")
_MIN_CORNERS = 3


def spans(text: str) -> list[Span]:
    """Return the words of a text between white space, in logical order."""
    return [Span(*match.span()) for match in _WORD.finditer(text)]


def outlines(
    baseline: Sequence[Position],
    boundary: Sequence[Position],
    text: str,
    words: Sequence[Span],
    reading: Reading = UNKNOWN,
) -> list[list[Position]]:
    """Return the polygon of each word: the boundary between the ends of the word, along the baseline.

    The ends are where the reading has the characters of the word; without a reading they are estimated.
    """
    if not words:
        return []
    if len(boundary) < _MIN_CORNERS:
        return [list(boundary or baseline or [(0, 0)])] * len(words)
    (x0, y0), (x1, y1) = _chord(baseline, boundary)
    length = hypot(x1 - x0, y1 - y0)
    axis = (x1 - x0) / length, (y1 - y0) / length
    origin = x0 * axis[0] + y0 * axis[1]
    ends = word_ends(text, words, reading)
    if not ends:
        along = [x * axis[0] + y * axis[1] - origin for x, y in boundary]
        ends = _estimated(text, words, min(along), max(along))
    return [clipped(boundary, axis, origin + low, origin + high) for low, high in ends]


def is_steep(baseline: Sequence[Position]) -> bool:
    """Return whether a baseline rises or falls more than it goes across: the writing is turned."""
    if len(baseline) < 2:  # noqa: PLR2004  # a line has two ends
        return False
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    return abs(y1 - y0) > abs(x1 - x0)


def extent(points: Sequence[Position]) -> tuple[int, int, int, int]:
    """Return the smallest rectangle around points: left, top, right, bottom."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _chord(baseline: Sequence[Position], boundary: Sequence[Position]) -> tuple[Position, Position]:
    """Return the ends of a baseline from left to right; those of the boundary's extent without one.

    A baseline of turned writing, which runs up or down the page, keeps its direction.
    """
    if len(baseline) > 1 and baseline[0] != baseline[-1]:
        first, last = baseline[0], baseline[-1]
        return (first, last) if is_steep(baseline) or first <= last else (last, first)
    left, top, right, _ = extent(boundary)
    return (left, top), (max(right, left + 1), top)


def _estimated(text: str, words: Sequence[Span], low: float, high: float) -> list[Ends]:
    """Return the ends of words that share a line from `low` to `high` by their number of characters."""
    widths = [_width(text[word.start : word.end]) for word in words]
    unit = (high - low) / (sum(widths) + len(words) - 1)
    ends = [(low, high)] * len(words)
    right = high
    for index in _visual_order([text[word.start : word.end] for word in words]):
        ends[index] = right - widths[index] * unit, right
        right -= (widths[index] + 1) * unit
    return ends


def _width(word: str) -> int:
    """Return a word's characters without combining marks, which take no room; at least 1."""
    return max(1, sum(not unicodedata.combining(character) for character in word))


def _visual_order(words: Sequence[str]) -> list[int]:
    """Return the indexes of words from right to left: a run of Latin words is reversed (UAX #9)."""
    order: list[int] = []
    run: list[int] = []
    for index, word in enumerate(words):
        classes = {unicodedata.bidirectional(character) for character in word}
        if not classes & {"R", "AL"} and ("L" in classes or run):
            run.append(index)
            continue
        order += run[::-1]
        run = []
        order.append(index)
    return order + run[::-1]


def clipped(
    boundary: Sequence[Position], axis: tuple[float, float], low: float, high: float
) -> list[Position]:
    """Return the part of a polygon that is from `low` to `high` along an axis (Sutherland, Hodgman, 1974)."""
    points: list[tuple[float, float]] = [(float(x), float(y)) for x, y in boundary]
    for sign, limit in ((1.0, low), (-1.0, -high)):
        inside = [sign * (x * axis[0] + y * axis[1]) - limit for x, y in points]
        inner: list[tuple[float, float]] = []
        for index, (x, y) in enumerate(points):
            before, distance = inside[index - 1], inside[index]
            if (before < 0) != (distance < 0):
                share = before / (before - distance)
                px, py = points[index - 1]
                inner.append((px + share * (x - px), py + share * (y - py)))
            if distance >= 0:
                inner.append((x, y))
        points = inner
    corners = list(dict.fromkeys((round(x), round(y)) for x, y in points))
    if len(corners) >= _MIN_CORNERS:
        return corners
    left, top, right, bottom = extent(corners or boundary)
    return [(left, top), (right + 1, top), (right + 1, bottom + 1), (left, bottom + 1)]
