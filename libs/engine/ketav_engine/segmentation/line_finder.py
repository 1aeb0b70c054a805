"""Find the lines of a page: ridges of ink, joined along the writing, with boundaries around their letters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import FoundLine, Image, Layout, Point, check_image
from ketav_engine.segmentation.boundaries import envelopes
from ketav_engine.segmentation.broken_letters import correction
from ketav_engine.segmentation.filters import is_line, without_faint, without_fragments
from ketav_engine.segmentation.gutters import find_gutters
from ketav_engine.segmentation.ink import PageInk, find_ink
from ketav_engine.segmentation.joining import join, split
from ketav_engine.segmentation.line_boxes import LineBoxes
from ketav_engine.segmentation.pieces import Piece
from ketav_engine.segmentation.reading_order import order_of
from ketav_engine.segmentation.regions import region_types
from ketav_engine.segmentation.ridges import pieces
from ketav_engine.segmentation.separators import find_separators
from ketav_engine.segmentation.turned_notes import Area, find_notes, turned_lines, without

_BASELINE: Final = 0.5
"""Letter heights from the middle of a line up to its baseline, from which Hebrew letters hang."""
_LINE_IMAGE_BASELINE: Final = 0.3
"""Share of its height at which the baseline of an image of one line is assumed; the boundary is what
counts."""

_MAX_LINE_ASPECT: Final = 1 / 4
"""Height of an image of one line in its widths from which the rows of its ink are sought."""
_LINE_MARGIN: Final = 0.5
"""Letter heights of paper above and below those rows."""


def find_lines(image: Image, layout: Layout) -> tuple[FoundLine, ...]:
    """Return the lines of a grey or RGB image in reading order, right column first; none on a blank page."""
    check_image(image)
    grey = to_grey(image)
    if layout == "line":
        return (whole(grey),)
    ink = find_ink(grey)
    if ink.letter == 0:
        return ()
    notes = []
    turned: list[FoundLine] = []
    for area in find_notes(ink):
        lines = turned_lines(grey, area.in_image(ink.scale), _lines_of)
        if 0 < len(lines) <= area.most_lines(ink.letter):
            notes.append(area)
            turned += lines
    upright = _upright(grey, ink, notes)
    return (*upright, *(replace(line, order=len(upright) + index) for index, line in enumerate(turned)))


def _lines_of(grey: Image) -> tuple[FoundLine, ...]:
    """Return the upright lines of a grey image."""
    ink = find_ink(grey)
    return _upright(grey, ink, []) if ink.letter else ()


def _upright(grey: Image, ink: PageInk, notes: Sequence[Area]) -> tuple[FoundLine, ...]:
    """Return the lines of a grey image with this ink that run across it, outside turned notes."""
    ink = without(ink, notes)
    ridges = pieces(ink)
    factor = correction(ridges, ink.letter)
    if factor > 1:
        ink = without(ink.with_letter(factor * ink.letter), notes)
        ridges = pieces(ink)
    gutters = find_gutters(ink, ridges)
    joined = join([part for ridge in ridges for part in split(ridge, ink, gutters)], ink, gutters)
    alone = len(joined) == 1
    lines = without_fragments([piece for piece in joined if is_line(piece, ink, alone=alone)], ink)
    return _outline(without_faint(lines, ink), ink, (grey.shape[1], grey.shape[0]))


def to_grey(image: Image) -> Image:
    """Return a grey or RGB image as grey, shape (height, width)."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def whole(grey: Image) -> FoundLine:
    """Return the line of an image that is one line: its boundary is the whole image.

    In a high image, such as that of a line that was straightened, it is the rows with the ink.
    """
    right, top, bottom = max(grey.shape[1] - 1, 1), 0, max(grey.shape[0] - 1, 1)
    if grey.shape[0] > _MAX_LINE_ASPECT * grey.shape[1]:
        top, bottom = _inked_rows(grey)
    baseline = round(top + (bottom - top) * _LINE_IMAGE_BASELINE)
    return FoundLine(
        0, ((0, baseline), (right, baseline)), ((0, top), (right, top), (right, bottom), (0, bottom))
    )


def _inked_rows(grey: Image) -> tuple[int, int]:
    """Return the first and the last row of a line in its image; those of the image where half is inked."""
    height = grey.shape[0]
    ink = find_ink(grey)
    rows = np.flatnonzero(ink.mask.any(axis=1)) / ink.scale
    if not rows.size or rows[-1] - rows[0] > height / 2:
        return 0, max(height - 1, 1)
    margin = _LINE_MARGIN * ink.letter / ink.scale
    return max(int(rows[0] - margin), 0), min(int(rows[-1] + margin), height - 1)


def _outline(lines: list[Piece], ink: PageInk, size: tuple[int, int]) -> tuple[FoundLine, ...]:
    """Return the lines in reading order, in pixels of an image of a size (width, height)."""
    outlines: list[tuple[tuple[Point, ...], tuple[Point, ...]]] = []
    for line, envelope in zip(lines, envelopes(lines, ink), strict=True):
        middles = np.interp(envelope.columns, line.columns, line.middles)
        baseline, top, bottom = (
            _points(envelope.columns, rows, ink.scale, size)
            for rows in (middles - _BASELINE * ink.letter, envelope.tops, envelope.bottoms)
        )
        outlines.append((baseline, top + bottom[::-1]))
    boxes = LineBoxes.around([boundary for _, boundary in outlines])
    separators = find_separators(boxes)
    regions = region_types(boxes, separators)
    order = order_of(boxes, separators)
    return tuple(
        FoundLine(position, *outlines[index], regions[index]) for position, index in enumerate(order)
    )


def _points(
    columns: NDArray[np.float32], rows: NDArray[np.floating], scale: float, size: tuple[int, int]
) -> tuple[Point, ...]:
    """Return working coordinates as points of the image, clipped to its size (width, height)."""
    xs = np.rint(columns / scale).clip(0, size[0] - 1).astype(int)
    ys = np.rint(rows / scale).clip(0, size[1] - 1).astype(int)
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))
