"""The grain of the paper: how much its brightness varies where nothing is written, at several sizes."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.reduction import reduced

_REDUCTIONS: Final = (1, 2, 4)
"""Factors by which a page is reduced: grain may be finer or as coarse as strokes."""
_FINE: Final = 2
"""Reduction up to which the inner quarter of the page is examined: fine grain is the same everywhere."""
_QUIET: Final = ((10, 0.126), (30, 0.385))
"""Percentiles of the differences of pixels from their neighbours that show the grain, and those of a normal
distribution in standard deviations: writing covers less than the rest of a page, and between the lines of
squared paper there is paper, so that the first percentile is smaller."""
_LAPLACIAN: Final = 20**0.5
"""Standard deviation of the Laplacian of independent pixels, in theirs: its weights are -4 and four 1."""


def grain_of(flat: NDArray[np.uint8]) -> float:
    """Return the standard deviation of the paper's grain on a flattened page, in grey levels.

    It is that of independent pixels; of grain coarser than pixels it is about 0.6 of the true one. Ordinary
    pages and photographs have up to 6, noise and the surface of a wooden table 8 and more.
    """
    largest = 0.0
    height, width = flat.shape
    inner = flat[height // 4 : height - height // 4, width // 4 : width - width // 4]
    for reduction in _REDUCTIONS:
        part = inner if reduction <= _FINE else flat
        small = reduced(part, reduction) if reduction > 1 else part
        differences = np.abs(np.asarray(cv2.Laplacian(small, cv2.CV_16S)))
        counts = np.cumsum(np.bincount(differences.ravel()))
        quiet = [np.searchsorted(counts, counts[-1] * percent / 100) / share for percent, share in _QUIET]
        largest = max(largest, float(min(quiet)) / _LAPLACIAN)
    return largest
