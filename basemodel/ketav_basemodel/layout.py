"""The layout of a written page: columns of lines, each with its text, its ink and its true position."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.compose import DrawnLine, draw_line
from ketav_basemodel.glyphs import Ink
from ketav_basemodel.texts import Texts
from ketav_basemodel.writers import Writer

Points = NDArray[np.float64]
"""Points (x, y) in pixels, shape (count, 2)."""

FORMAL: Final = frozenset({"stam", "print", "scribal", "rashi"})
"""Kinds of writers whose lines are justified and level."""
_INKED: Final = 60
"""Ink from which a pixel belongs to a line."""
_MARGIN: Final = 0.15
"""Core bands of paper within a boundary around the ink."""
_STRIP: Final = 1.5
"""Core bands of one step of a boundary."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The properties of a page: `kind` of writer, `paper` (plain, ruled or squared), 1 or 2 `columns`.

    Each column has `lines` of at most `width` core bands; `camera` is from 0, a flat copy, to 1, a bad
    photograph.
    """

    kind: str = "hand"
    paper: str = "plain"
    columns: int = 1
    lines: int = 14
    width: float = 34.0
    camera: float = 0.5


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line of a page: its `text` in logical order and its position in pixels.

    `baseline` is the line that the letters hang from, left to right; `boundary` a polygon around the ink.
    """

    text: str
    baseline: Points
    boundary: Points


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A written page before it is photographed.

    `ink` and `owners` have shape (height, width); a pixel of `owners` is the number of the line, from 1,
    whose ink it has, or 0. `line_distance` is in pixels; `first` is the row of the first line's feet.
    """

    ink: Ink
    owners: NDArray[np.uint8]
    lines: list[PageLine]
    core: float
    line_distance: float
    first: float


def write_page(setting: Setting, writer: Writer, texts: Texts, random: np.random.Generator) -> WrittenPage:
    """Write a page; its lines are in reading order, the right column first."""
    core = writer.style.core
    line_distance = max(writer.style.line_distance, 1.6) * core
    column_width = setting.width * core
    edges, gutter = random.uniform(1.5, 5.0, 4) * core, float(random.uniform(2.5, 4.5)) * core
    titled = setting.columns == 1 and random.random() < 0.35
    count = setting.lines + (1 if titled else 0)
    height = round(edges[0] + edges[1] + count * line_distance + 1.5 * core)
    width = round(edges[2] + edges[3] + setting.columns * column_width + (setting.columns - 1) * gutter)
    canvas = _Canvas(np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8), [])
    formal = setting.kind in FORMAL
    slope = 0.0 if formal else float(random.normal(0, 0.008))
    top = edges[0]
    if titled:
        _title(canvas, writer, texts, (edges[2] + column_width / 2, top), random)
        top += line_distance * float(random.uniform(1.0, 1.3))
    for column in range(setting.columns):
        right = width - edges[3] - column * (column_width + gutter)
        for index, line in enumerate(fill(setting, writer, texts, column_width, random)):
            shift = 0.0 if formal else float(random.normal(0, 0.05)) * line_distance
            sag = float(random.normal(0, 0.02 if formal else 0.12)) * core
            inset = 0.0 if formal else abs(float(random.normal(0, 0.5))) * core
            put(canvas, line, (right - inset, top + index * line_distance + shift), slope, sag)
    return WrittenPage(canvas.ink, canvas.owners, canvas.lines, core, line_distance, float(top + core))


def fill(
    setting: Setting, writer: Writer, texts: Texts, max_width: float, random: np.random.Generator
) -> list[DrawnLine]:
    """Write one column's lines, at most `max_width` pixels each; paragraphs end in short ones."""
    biblical = 0.7 if setting.kind in {"stam", "scribal"} else 0.1
    lines: list[DrawnLine] = []
    for _ in range(setting.lines):
        ends = random.random() < (0.05 if setting.kind == "stam" else 0.18)
        share = float(random.uniform(0.15, 0.8)) if ends else 1.0
        line = fitted(writer, texts, share * max_width, biblical, random)
        lines.append(line if ends or setting.kind not in FORMAL else justified(line, max_width))
    return lines


def fitted(
    writer: Writer, texts: Texts, max_width: float, biblical: float, random: np.random.Generator
) -> DrawnLine:
    """Write a line of at most `max_width` pixels with as many words as fit, at least one."""
    words: list[str] = []
    max_words = max(4, round(max_width / writer.style.core / 2.2))
    for _ in range(40):
        words = max(words, texts.draw(random, biblical, max_words).split(), key=len)
        if len(words) >= 0.7 * max_words:
            break
    while True:
        line = draw_line(" ".join(words), writer)
        if (line.ink.shape[1] <= max_width and line.text) or len(words) <= 1:
            return line
        fitting = round(len(words) * max_width / line.ink.shape[1])
        words = words[: min(len(words) - 1, max(1, fitting))]


def justified(line: DrawnLine, width: float) -> DrawnLine:
    """Widen the gaps between words so that a line has `width` pixels; a line that is far too short stays."""
    lacking = round(width) - line.ink.shape[1]
    gaps = np.flatnonzero(_word_gaps(line))
    if not 0 < lacking < 0.4 * width or not gaps.size:
        return line
    shares = np.diff(np.linspace(0, lacking, gaps.size + 1).round().astype(int))
    columns = [(line.spans[gap][1] + line.spans[gap + 1][0]) // 2 for gap in gaps]
    spans, moved = [], 0
    for index, (left, right) in enumerate(line.spans):
        spans.append((left + moved, right + moved))
        if index in gaps:
            moved += int(shares[np.searchsorted(gaps, index)])
    ink = np.insert(line.ink, np.repeat(columns, shares), 0, axis=1)
    return replace(line, ink=ink, spans=spans)


@dataclass(frozen=True, slots=True)
class _Canvas:
    """The ink and the lines of a page that is being written."""

    ink: Ink
    owners: NDArray[np.uint8]
    lines: list[PageLine]


def put(canvas: _Canvas, line: DrawnLine, corner: tuple[float, float], slope: float, sag: float) -> None:
    """Add a line to the page: its right end and the core band's upper edge at `corner` (x, y).

    `sag` is the distance in pixels of its middle below its ends.
    """
    width = line.ink.shape[1]
    share = np.linspace(1, 0, width) if width > 1 else np.zeros(1)
    course = slope * width * share + sag * np.sin(np.pi * share)
    room = int(np.ceil(np.abs(course).max())) + 1
    padded = np.pad(line.ink, ((room, room), (0, 0)))
    v, u = np.mgrid[0 : padded.shape[0], 0:width].astype(np.float32)
    level = v - course.astype(np.float32)[None, :]
    bent = np.asarray(cv2.remap(padded, u, level, cv2.INTER_LINEAR), dtype=np.uint8)
    left, top = round(corner[0]) - width, round(corner[1] - line.top) - room
    ink, rows, columns = _clipped(bent, canvas.ink.shape, (top, left))
    if not (ink > _INKED).any() or not line.text:
        return
    part, owners = canvas.ink[rows, columns], canvas.owners[rows, columns]
    canvas.lines.append(_located(line, bent, course, (top, left), room))
    owners[(ink > _INKED) & (ink >= part)] = len(canvas.lines)
    np.maximum(part, ink, out=part)


def _clipped(ink: Ink, shape: tuple[int, ...], corner: tuple[int, int]) -> tuple[Ink, slice, slice]:
    """Clip ink to a page of a shape; return it with the rows and columns of the page that it covers."""
    top, left = corner
    rows = slice(max(top, 0), max(min(top + ink.shape[0], shape[0]), 0))
    columns = slice(max(left, 0), max(min(left + ink.shape[1], shape[1]), 0))
    return ink[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left], rows, columns


def _located(
    line: DrawnLine, ink: Ink, course: NDArray[np.float64], corner: tuple[int, int], room: int
) -> PageLine:
    """Return the baseline and the boundary of a line whose bent ink has its corner at (row, column)."""
    width, core = ink.shape[1], line.core
    edges = np.linspace(0, width, max(1, round(width / (_STRIP * core))) + 1)
    tops, bottoms = [], []
    for first, last in zip(edges[:-1].astype(int), np.ceil(edges[1:]).astype(int), strict=True):
        hang = room + line.top + float(course[first:last].mean())
        rows = np.flatnonzero((ink[:, first:last] > _INKED).any(axis=1))
        tops.append(min(hang, float(rows[0]) if rows.size else hang) - _MARGIN * core)
        bottoms.append(max(hang + core, float(rows[-1]) if rows.size else hang) + _MARGIN * core)
    columns = np.repeat(edges, 2)[1:-1]
    columns[0] -= _MARGIN * core
    columns[-1] += _MARGIN * core
    upper = np.stack([columns, np.repeat(tops, 2)], axis=1)
    lower = np.stack([columns, np.repeat(bottoms, 2)], axis=1)
    at = np.clip(edges, 0, width - 1)
    baseline = np.stack([edges, room + line.top + np.interp(at, np.arange(width), course)], axis=1)
    origin = np.array([corner[1], corner[0]], dtype=np.float64)
    return PageLine(line.text, baseline + origin, np.concatenate([upper, lower[::-1]]) + origin)


def _word_gaps(line: DrawnLine) -> NDArray[np.bool_]:
    """Return for each inked character but the last, in display order, whether a space follows it."""
    from ketav_engine.recognition.decode import to_display

    display = to_display(line.text)
    return np.array([after == " " for character, after in pairwise(display) if character != " "])


def _title(
    canvas: _Canvas, writer: Writer, texts: Texts, middle: tuple[float, float], random: np.random.Generator
) -> None:
    """Write a title around `middle` (x, y), up to 1.4 times as large as the text."""
    style = replace(writer.style, core=writer.style.core * float(random.uniform(1.0, 1.4)))
    line = fitted(replace(writer, style=style, instances={}), texts, 12 * style.core, 0.1, random)
    put(canvas, line, (middle[0] + line.ink.shape[1] / 2, middle[1]), 0.0, 0.0)
