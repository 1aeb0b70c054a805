"""The boxes around the lines of a page, and how they lie to one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Point
from ketav_engine.segmentation.components import Mask

_MIN_OVERLAP: Final = 0.05
"""Share of the narrower line's width that two lines of one column have in common at least."""
_BAND: Final = 0.25
"""Heights of a usual line above and below its middle that a line takes of the page: lines may slope."""


@dataclass(frozen=True, slots=True, eq=False)
class LineBoxes:
    """The boxes around the boundaries of lines, in pixels of the image; arrays of one length."""

    left: NDArray[np.float64]
    top: NDArray[np.float64]
    right: NDArray[np.float64]
    bottom: NDArray[np.float64]

    @classmethod
    def around(cls, boundaries: Sequence[Sequence[Point]]) -> Self:
        """Return the boxes around polygons."""
        arrays = [np.asarray(boundary, dtype=np.float64) for boundary in boundaries]
        corners = np.array([(*array.min(axis=0), *array.max(axis=0)) for array in arrays]).reshape(-1, 4)
        return cls(*corners.T)

    @property
    def middle(self) -> NDArray[np.float64]:
        """Return the vertical middles."""
        return (self.top + self.bottom) / 2

    @property
    def centre(self) -> NDArray[np.float64]:
        """Return the horizontal middles."""
        return (self.left + self.right) / 2

    @property
    def width(self) -> NDArray[np.float64]:
        """Return the widths."""
        return self.right - self.left

    @property
    def line_height(self) -> float:
        """Return the median height, 1 without lines."""
        return float(np.median(self.bottom - self.top)) if len(self.top) else 1.0

    def overlaps(self) -> Mask:
        """Return which lines share a noticeable range of columns, shape (lines, lines)."""
        shared = np.minimum.outer(self.right, self.right) - np.maximum.outer(self.left, self.left)
        return np.asarray(shared > _MIN_OVERLAP * np.minimum.outer(self.width, self.width), dtype=np.bool_)

    def pitch(self, overlaps: Mask) -> float:
        """Return the median distance from a line's middle to that of the next below it, 0 without any.

        `overlaps` are `overlaps()`.
        """
        below = np.subtract.outer(self.middle, self.middle).T
        distances = np.where(overlaps & (below > self.line_height / 4), below, np.inf).min(
            axis=1, initial=np.inf
        )
        return float(np.median(distances[np.isfinite(distances)])) if np.isfinite(distances).any() else 0.0

    def bands(self) -> list[list[int]]:
        """Return the lines in horizontal bands that no line of another band enters, from top to bottom."""
        reach = _BAND * self.line_height
        bands: list[list[int]] = []
        end = -np.inf
        for index in np.argsort(self.middle, kind="stable"):
            if self.middle[index] - reach >= end:
                bands.append([])
            bands[-1].append(int(index))
            end = max(end, self.middle[index] + reach)
        return bands
