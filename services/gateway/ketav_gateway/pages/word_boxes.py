"""Boxes of words: the parts of a line's boundary that its words take, in pixels of the stored image.

A line that no network has placed has no positions of its characters; its words then share the line by their
number of characters. The words of a Hebrew line follow each other from right to left, those of a run of Latin
words from left to right.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

Position = tuple[int, int]
_WORD = re.compile(r"\S+")
_MIN_CORNERS = 3


@dataclass(frozen=True)
class Span:
    """A word of a text: its first code point, and the one after its last."""

    start: int
    end: int


def spans(text: str) -> list[Span]:
    """Return the words of a text between white space, in logical order."""
    return [Span(*match.span()) for match in _WORD.finditer(text)]


def outlines(
    baseline: Sequence[Position], boundary: Sequence[Position], text: str, words: Sequence[Span]
) -> list[list[Position]]:
    """Return the polygon of each word: the boundary between the ends of the word, along the baseline."""
    if not words:
        return []
    if len(boundary) < _MIN_CORNERS:
        return [list(boundary or baseline or [(0, 0)])] * len(words)
    (x0, y0), (x1, y1) = _chord(baseline, boundary)
    length = hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    along = [x * dx + y * dy for x, y in boundary]
    end, start = max(along), min(along)
    shares = _shares(text, words)
    return [
        _clipped(boundary, (dx, dy), end - right * (end - start), end - left * (end - start))
        for left, right in shares
    ]


def extent(points: Sequence[Position]) -> tuple[int, int, int, int]:
    """Return the smallest rectangle around points: left, top, right, bottom."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _chord(baseline: Sequence[Position], boundary: Sequence[Position]) -> tuple[Position, Position]:
    """Return the ends of a baseline from left to right; those of the boundary's extent without one."""
    if len(baseline) > 1 and baseline[0] != baseline[-1]:
        first, last = sorted((baseline[0], baseline[-1]))
        return first, last
    left, top, right, _ = extent(boundary)
    return (left, top), (max(right, left + 1), top)


def _shares(text: str, words: Sequence[Span]) -> list[tuple[float, float]]:
    """Return the shares of a line, from its right end, at which each word begins and ends."""
    widths = [_width(text[word.start : word.end]) for word in words]
    total = sum(widths) + len(words) - 1
    shares = [(0.0, 1.0)] * len(words)
    position = 0.0
    for index in _visual_order([text[word.start : word.end] for word in words]):
        shares[index] = position / total, (position + widths[index]) / total
        position += widths[index] + 1
    return shares


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


def _clipped(
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
