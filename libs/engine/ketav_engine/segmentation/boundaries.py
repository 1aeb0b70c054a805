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


def _owners(lines: Sequence[Piece], ink: PageInk) -> NDArray[np.int32]:
    """Return for each pixel of ink the number of its line, from 1: that of its whole component."""
    components = ink.components
    nearest = _nearest(lines, ink)
    owner = np.zeros(len(components.boxes), dtype=np.int32)
    centres = components.centres[1:].astype(int)
    owner[1:] = nearest[centres[:, 1], centres[:, 0]]
    owner[components.heights > _MAX_COMPONENT_HEIGHT * ink.letter] = _CUT
    owner[~ink.written] = 0
    owners = owner[components.labels]
    cut = np.nonzero(owners == _CUT)
    owners[cut] = nearest[cut]
    return owners


def _nearest(lines: Sequence[Piece], ink: PageInk) -> NDArray[np.int32]:
    """Return for each pixel the number (from 1) of the nearest line above or below, 0 beyond reach of any."""
    height, width = ink.mask.shape
    nearest = np.zeros((height, width), dtype=np.int32)
    distances = np.full((height, width), _MAX_EXTENT * ink.letter, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    left_reach, right_reach = (int(reach * ink.letter) for reach in _BEYOND)
    for number, line in enumerate(lines, start=1):
        left, right = max(line.left - left_reach, 0), min(line.right + right_reach, width)
        columns = np.arange(left, right)
        middles = np.interp(columns, line.columns, line.middles)
        far_left = columns < line.left - _FAR_LEFT * ink.letter
        reach = np.where(far_left, _DASH, _MAX_EXTENT) * ink.letter
        top = int(max(middles.min() - _MAX_EXTENT * ink.letter, 0))
        bottom = int(min(middles.max() + _MAX_EXTENT * ink.letter + 1, height))
        window = slice(top, bottom), slice(left, right)
        distance = np.abs(rows[top:bottom] - middles[None, :])
        closer = (distance < distances[window]) & (distance < reach[None, :])
        distances[window][closer] = distance[closer]
        nearest[window][closer] = number
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
    up, down = np.full(len(middles), _MIN_EXTENT * letter), np.full(len(middles), _MIN_EXTENT * letter)
    for index, middle in enumerate(middles):
        start = int(edges[index])
        rows = np.flatnonzero(own[:, start : max(int(edges[index + 1]), start + 1)].any(axis=1))
        if rows.size:
            up[index] = max(up[index], middle - rows[0])
            down[index] = max(down[index], rows[-1] - middle)
    return up, down
