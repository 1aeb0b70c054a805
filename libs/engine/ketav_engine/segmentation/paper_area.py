"""The paper on a photograph: what is beyond its edges is a table, whose grain is no writing.

The photograph is reduced until writing disappears. Steep changes of the remaining brightness part it into
regions: the paper, the table, and parts of either in a shadow. The brightest large region is paper, and so is
each other region that has writing as strong; what is outside their convex hull is none.
Lengths are in reduced pixels, which are `REDUCTION` working pixels. The constants were set on synthetic
photographs and on pages drawn on wooden tables.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.reduction import enlarged, reduced

REDUCTION: Final = 8
"""Factor by which the page is reduced."""
_DILATION: Final = 5
_MEDIAN: Final = 5
"""Sizes of the filters by which writing disappears."""
_STEP: Final = 0.07
"""Change of brightness within three pixels, as a share of the brighter side, at an edge of the paper."""
_GAP: Final = 5
"""Length of the gaps that are closed in an edge."""
_MIN_AREA: Final = 0.1
"""Share of the image that the paper takes at least."""
_MIN_PART: Final = 0.02
"""Share of the image that another part of the paper takes at least: a table's grain makes smaller regions."""
_FAINTER: Final = 0.5
"""Strength of a table's grain at most, as a share of that of the writing on the paper: in a shadow of half
the light writing has 0.7."""
_STRONGEST: Final = 99
"""Percentile of the strength of a region's pixels that counts as that of its writing."""
_MIN_OUTSIDE: Final = 0.005
"""Share of the image below which there is no table."""


def outside_paper(grey: NDArray[np.uint8], squared_strength: NDArray[np.uint16]) -> Mask | None:
    """Return where a page shows something else than its paper, shape of `grey`; None if nowhere.

    `squared_strength` tells how much darker each pixel is than its surroundings (`PageInk`).
    """
    small = reduced(grey, REDUCTION)
    light = cv2.medianBlur(cv2.dilate(small, np.ones((_DILATION, _DILATION), np.uint8)), _MEDIAN)
    regions = _regions(np.asarray(light, dtype=np.uint8))
    if regions.min() == regions.max() == 1:
        return None
    strength = reduced(squared_strength, REDUCTION)
    paper = _paper(regions, np.asarray(light, dtype=np.uint8), strength)
    if paper is None or np.count_nonzero(paper == 0) < _MIN_OUTSIDE * paper.size:
        return None
    return np.asarray(enlarged(paper, REDUCTION, grey.shape, cv2.INTER_NEAREST) == 0, dtype=np.bool_)


def _regions(light: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the number of each pixel's region, from 1; 0 at steep changes of brightness."""
    around = np.ones((3, 3), np.uint8)
    brighter, darker = cv2.dilate(light, around), cv2.erode(light, around)
    steep = cv2.subtract(brighter, darker) > _STEP * brighter.astype(np.float32)
    closed = cv2.dilate(steep.astype(np.uint8), np.ones((_GAP, _GAP), np.uint8))
    _, labels = cv2.connectedComponents(1 - closed, connectivity=4)
    return np.asarray(labels, dtype=np.int32)


def _paper(
    regions: NDArray[np.int32], light: NDArray[np.uint8], strength: NDArray[np.uint16]
) -> NDArray[np.uint8] | None:
    """Return 1 on the paper, None where no region can be it or all are."""
    areas = np.bincount(regions.ravel())
    large = [number for number in range(1, len(areas)) if areas[number] >= _MIN_AREA * regions.size]
    if not large:
        return None
    brightness = {number: float(np.median(light[regions == number])) for number in large}
    brightest = max(large, key=lambda number: brightness[number])
    strongest = float(np.percentile(strength[regions == brightest], _STRONGEST))
    own = np.zeros(len(areas), dtype=np.bool_)
    for number in range(1, len(areas)):
        inside = regions == number
        strong = float(np.percentile(strength[inside], _STRONGEST)) > _FAINTER**2 * strongest
        own[number] = number == brightest or (areas[number] > _MIN_PART * regions.size and strong)
    return _hull(own[regions])


def _hull(mask: Mask) -> NDArray[np.uint8]:
    """Return 1 in the convex hull of a mask."""
    rows, columns = np.nonzero(mask)
    hull = cv2.convexHull(np.column_stack([columns, rows]).astype(np.int32))
    filled = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), hull, 1)
    return np.asarray(filled, dtype=np.uint8)
