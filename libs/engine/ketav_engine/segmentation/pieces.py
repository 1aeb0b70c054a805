"""A line's course or a part of it, and the ink in the band around it."""

from dataclasses import dataclass
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

_BAND: Final = 0.6
"""Letter heights above and below the middle that the band of a piece has: a letter and a margin."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A line's course or a part of it: the middle of its letters for each column from `left` on."""

    left: int
    """Working pixels."""
    middles: NDArray[np.float32]
    """Working pixels from the top, shape (columns,)."""

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return len(self.middles)

    @property
    def right(self) -> int:
        """Return the column after the last."""
        return self.left + self.width

    @property
    def columns(self) -> NDArray[np.int64]:
        """Return the columns that the piece has."""
        return np.arange(self.left, self.right)

    def part(self, start: int, end: int | None = None) -> "Piece":
        """Return the columns from `start` to before `end`, both counted from the piece's left."""
        return Piece(self.left + start, self.middles[start:end])

    def at(self, column: float, reach: float) -> float:
        """Return the middle at a column; beyond the ends by the slope of the nearest `reach` columns."""
        count = int(min(self.width, max(2, reach)))
        if self.left <= column < self.right:
            return float(self.middles[int(column) - self.left])
        end = self.middles[:count] if column < self.left else self.middles[-count:]
        start = self.left if column < self.left else self.right - count
        # A piece of less than two thirds of the reach is too short for its slope to mean anything.
        slope = _slope(end) if count > 2 * reach / 3 else 0.0
        return float(end.mean() + slope * (column - start - (count - 1) / 2))


def _slope(values: NDArray[np.float32]) -> float:
    """Return the slope of the straight line through equally spaced values (least squares)."""
    steps = np.arange(len(values)) - (len(values) - 1) / 2
    return float(steps @ values / (steps @ steps))


def band_counts(mask: NDArray[np.uint8], letter: float) -> NDArray[np.uint16]:
    """Return for each pixel how many are marked in its column within the reach of a band around it.

    `letter` is in working pixels.
    """
    rows = 2 * round(_BAND * letter) + 1
    counts = cv2.boxFilter(mask, cv2.CV_16U, (1, rows), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(counts, dtype=np.uint16)


def band_ink(piece: Piece, counts: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return for each column of a piece the marked pixels in its band; `counts` are `band_counts`."""
    rows = np.rint(piece.middles).astype(np.intp).clip(0, counts.shape[0] - 1)
    return np.asarray(counts[rows, piece.columns], dtype=np.int64)


ValueT = TypeVar("ValueT", np.uint8, np.uint16)


def band_values(
    piece: Piece, values: NDArray[ValueT], letter: float, reach: float = _BAND
) -> NDArray[ValueT]:
    """Return the values in the band of a piece, shape (rows, columns of the piece); 0 off the page.

    The band has `reach` letter heights above and below the middle.
    """
    offsets = np.arange(-round(reach * letter), round(reach * letter) + 1)
    rows = np.rint(piece.middles).astype(np.intp) + offsets[:, None]
    height, width = values.shape
    indices = (rows.clip(0, height - 1) * width + piece.columns).ravel()
    band: NDArray[ValueT] = values.ravel()[indices].reshape(rows.shape)
    if rows[0].min() < 0 or rows[-1].max() >= height:
        band[(rows < 0) | (rows >= height)] = 0
    return band
