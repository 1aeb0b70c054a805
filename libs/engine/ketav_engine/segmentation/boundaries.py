"""Boundaries of lines in strips: each component of ink belongs to the line that is nearest to its centre.

Lengths are in letter heights. Constants without a reason of their own were set together on the synthetic
pages of docs/segmentation.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.ink import PageInk
from ketav_engine.segmentation.pieces import Piece

_MARGIN: Final = 0.15
"""Paper kept around the ink."""
_MIN_EXTENT: Final = 0.75
"""Extent of a boundary above and below the middle at least."""
_MAX_EXTENT: Final = 1.9
"""Extent of a boundary above and below the middle at most."""
_BEYOND: Final = (2.2, 1.0)
"""Distances beyond its left and its right end within which a line takes ink."""
_FAR_LEFT: Final = 1.0
"""Distance beyond its left end from which a line takes only ink near its middle, such as a dash after a
space."""
_DASH: Final = 0.35
"""Distance from the middle of a line within which it takes such ink."""
_MAX_COMPONENT_HEIGHT: Final = 2.2
"""Height from which a component belongs to no line as a whole but is cut between the lines it crosses."""
_CUT: Final = -1
"""Owner of such a component until its pixels have owners."""
_WINDOW: Final = _MAX_EXTENT + _MAX_COMPONENT_HEIGHT
"""Distance above and below the middle of a line within which all its ink is."""
_STRIP: Final = 1.5
"""Width of the strips in which a boundary follows the ink."""


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """The top and the bottom of a line at some columns, in working pixels; arrays of one length."""

    columns: NDArray[np.float32]
    tops: NDArray[np.float32]
    bottoms: NDArray[np.float32]


def envelopes(lines: Sequence[Piece], ink: PageInk) -> list[Envelope]:
    """Return the envelope of each line, strip by strip."""
    owners = _owners(lines, ink)
    outlines: list[Envelope] = []
    for number, line in enumerate(lines, start=1):
        top = max(int(line.middles.min() - _WINDOW * ink.letter), 0)
        bottom = int(line.middles.max() + _WINDOW * ink.letter) + 1
        lowered = Piece(line.left, line.middles - np.float32(top))
        envelope = _envelope(lowered, owners[top:bottom] == number, ink.letter)
        outlines.append(Envelope(envelope.columns, envelope.tops + top, envelope.bottoms + top))
    return outlines


def _owners(lines: Sequence[Piece], ink: PageInk) -> NDArray[np.int16]:
    """Return for each pixel of ink the number of its line, from 1: that of its whole component."""
    components = ink.components
    owner = np.zeros(len(components.boxes), dtype=np.int16)
    written = np.flatnonzero(ink.written)
    columns, rows = components.centres[written].astype(np.intp).T
    owner[written] = _nearest(lines, ink.letter, rows, columns)
    owner[ink.written & (components.heights > _MAX_COMPONENT_HEIGHT * ink.letter)] = _CUT
    owners = np.take(owner, components.labels)
    if (owner == _CUT).any():
        rows, columns = np.nonzero(owners == _CUT)
        owners[rows, columns] = _nearest(lines, ink.letter, rows, columns)
    return owners


def _nearest(
    lines: Sequence[Piece], letter: float, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.int16]:
    """Return for each pixel the number (from 1) of the nearest line above or below, 0 beyond reach of any."""
    nearest = np.zeros(len(rows), dtype=np.int16)
    distances = np.full(len(rows), _MAX_EXTENT * letter)
    left_reach, right_reach = (int(reach * letter) for reach in _BEYOND)
    for number, line in enumerate(lines, start=1):
        lowest, highest = (limit(line.middles) for limit in (np.min, np.max))
        near = np.flatnonzero(
            (columns >= line.left - left_reach)
            & (columns < line.right + right_reach)
            & (rows > lowest - _MAX_EXTENT * letter)
            & (rows < highest + _MAX_EXTENT * letter)
        )
        indices = (columns[near] - line.left).clip(0, line.width - 1)
        distance = np.abs(rows[near] - line.middles[indices])
        far_left = columns[near] < line.left - _FAR_LEFT * letter
        closer = (distance < distances[near]) & (distance < np.where(far_left, _DASH, _MAX_EXTENT) * letter)
        distances[near[closer]] = distance[closer]
        nearest[near[closer]] = number
    return nearest


def _envelope(line: Piece, own: Mask, letter: float) -> Envelope:
    """Follow the top and bottom of a line's own ink, strip by strip, with a margin."""
    left_reach, right_reach = (round(reach * letter) for reach in _BEYOND)
    first, last = max(line.left - left_reach, 0), min(line.right + right_reach, own.shape[1])
    inked = np.flatnonzero(own[:, first:last].any(axis=0))
    if inked.size:
        first, last = first + int(inked[0]), first + int(inked[-1]) + 1
    strips = max(1, round((last - first) / (_STRIP * letter)))
    edges = np.linspace(first, last, strips + 1)
    middles = np.interp((edges[:-1] + edges[1:]) / 2, line.columns, line.middles)
    up, down = _extents(own, edges, middles, letter)
    margin = _MARGIN * letter
    columns = np.repeat(edges, 2)[1:-1].astype(np.float32)
    columns[0] -= margin
    columns[-1] += margin
    tops = np.repeat(middles - np.minimum(up, _MAX_EXTENT * letter) - margin, 2)
    bottoms = np.repeat(middles + np.minimum(down, _MAX_EXTENT * letter) + margin, 2)
    return Envelope(columns, tops.astype(np.float32), bottoms.astype(np.float32))


def _extents(
    own: Mask, edges: NDArray[np.float64], middles: NDArray[np.float64], letter: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the ink reaches above and below the middle in each strip, at least `_MIN_EXTENT`."""
    min_extents = np.full(len(middles), _MIN_EXTENT * letter)
    starts = edges[:-1].astype(np.intp)
    inked = np.maximum.reduceat(own[:, : int(edges[-1])].view(np.uint8), starts, axis=1)
    empty = inked.max(axis=0) == 0
    first, last = inked.argmax(axis=0), len(inked) - 1 - inked[::-1].argmax(axis=0)
    up, down = (np.where(empty, 0, extent) for extent in (middles - first, last - middles))
    return np.maximum(min_extents, up), np.maximum(min_extents, down)
