"""The extents of the characters of a line: from the steps of the network's output to columns of ink.

A network with CTC places a label somewhere on its letter, usually on one step (Graves et al. 2006, section
3.3). The ends of a letter follow from the ink: it ends at the widest gap before the next letter.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Extent, Image

_INK: Final = 128
"""Grey level of a normalised line below which a pixel is ink."""

Counts = NDArray[np.int64]
"""Ink pixels of each column of a line."""


def character_extents(characters: Sequence[str], centres: Sequence[float], line: Image) -> list[Extent]:
    """Return the first column, and the one after the last, of each character of a normalised line.

    `characters` are in display order, left to right, and `centres` their columns. A space takes the gap
    between two words; a line without ink is divided at the middles between the centres.
    """
    ink: Counts = np.count_nonzero(line < _INK, axis=0)
    columns = np.flatnonzero(ink)
    first, end = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, line.shape[1])
    middles = np.clip(np.rint(centres).astype(int), first, end - 1)
    letters = [index for index, character in enumerate(characters) if character != " "]
    gaps = [
        _gap(ink, int(middles[left]), int(middles[right]), separated=right > left + 1)
        for left, right in pairwise(letters)
    ]
    starts = [first, *(after for _, after in gaps)]
    ends = [*(before for before, _ in gaps), end]
    extents: list[Extent] = [(first, first)] * len(characters)
    for number, index in enumerate(letters):
        extents[index] = starts[number], max(starts[number], ends[number])
        if number and letters[number - 1] < index - 1:
            extents[index - 1] = gaps[number - 1]
    return extents


def _gap(ink: Counts, left: int, right: int, *, separated: bool) -> Extent:
    """Return where the left one of two neighbouring letters ends and where the right one begins.

    This is the widest run of columns without ink. Where there is none, words end at the widest run of those
    with the least ink, and letters of a word touch in the one of them that is nearest to the middle.
    """
    if right <= left + 1:
        return right, right
    between = ink[left:right]
    low = np.flatnonzero(between == between.min())
    if between.min() and not separated:
        middle = (right - left) / 2
        cut = left + int(low[np.argmin(np.abs(low - middle))])
        return cut, cut
    runs = np.split(low, np.flatnonzero(np.diff(low) > 1) + 1)
    widest = max(runs, key=len)
    return left + int(widest[0]), left + int(widest[-1]) + 1
