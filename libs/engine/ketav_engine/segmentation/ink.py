"""The ink of a page at one working size: paper flattened, rules and specks removed, letters measured.

Constants without a measurement of their own were set together on the synthetic pages of docs/segmentation.md.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import Image
from ketav_engine.segmentation.arrows import erase_arrows
from ketav_engine.segmentation.components import Components, Mask, letter_height, lettering, writing
from ketav_engine.segmentation.grain import grain_of
from ketav_engine.segmentation.paper_area import outside_paper
from ketav_engine.segmentation.pieces import band_counts
from ketav_engine.segmentation.reduction import enlarged, reduced
from ketav_engine.segmentation.rules import without_rules

WORK_SIZE: Final = 1600
"""Working pixels of the longer side of a page while its lines are sought."""
_MAX_ENLARGEMENT: Final = 2.5
"""Factor by which a small image is enlarged at most to reach the working size."""

_MAX_LETTER: Final = 80
"""Working pixels of a letter's height above which a page is examined at half the size: 38 at most on 32 pages
of ordinary size; at 63 a page reads better at its whole size."""
_MAX_HALVINGS: Final = 3
"""Times that the size is halved: the letter is then at most as high as the page."""

_PAPER_REDUCTION: Final = 8
"""Factor by which the page is reduced before its paper is estimated."""
_PAPER_DILATION: Final = 5
"""Reduced pixels: dark strokes up to this wide disappear from the estimated paper."""
_PAPER_MEDIAN: Final = 11
"""Reduced pixels of the median filter that smooths the estimated paper."""

_WHITE: Final = 255
"""Grey level of blank paper on a flattened page."""
_SURROUNDINGS_SIGMA: Final = 12
"""Working pixels: standard deviation of the blur that a pixel's contrast is measured against."""
_SURROUNDINGS_REDUCTION: Final = 4
"""Factor by which the page is reduced for that blur."""
_MIN_CONTRAST: Final = 18
"""Grey levels of the flattened page by which ink is darker than its surroundings."""
_MIN_DIFFERENCE: Final = 9
"""Grey levels of the page itself by which ink is darker: on a dark table a small difference is a large
share."""
_MIN_CONTRASTING_PIXELS: Final = 20
"""With fewer pixels of `_MIN_CONTRAST` the page is blank."""
_INK_SHARE: Final = 0.45
"""Share of the usual contrast of the page's ink that a pixel of ink has."""
_THIN_SHARE: Final = 0.22
"""The same for a thin stroke that joins a thick one."""
_INK_ABOVE_GRAIN: Final = 10
_THIN_ABOVE_GRAIN: Final = 4
"""Contrast of ink, and of a thin stroke that joins it, in grains of the paper (`grain_of`)."""
_SOLID: Final = (110, 170)
"""Grey levels of a pixel and of its surroundings below which the pixel is the inside of a broad stroke, which
has no contrast."""


@dataclass(frozen=True, slots=True, eq=False)
class PageInk:
    """The ink of a page."""

    mask: NDArray[np.uint8]
    """1 where there is ink of writing, shape (height, width) at the working size."""
    components: Components
    """The connected components of the ink, with those that are no writing."""
    written: Mask
    """Which components are writing, of which `mask` consists, shape (components,)."""
    letters: NDArray[np.uint8]
    """1 where the ink has the shape of letters or joined letters, of which a line must have some."""
    scale: float
    """Working pixels per image pixel."""
    letter: float
    """Letter height of the page in working pixels; 0 on a page without letters."""
    squared_strength: NDArray[np.uint16]
    """How much darker each pixel is than the paper, in grey levels, times the same on flattened paper."""
    paper: NDArray[np.uint8]
    """Grey level of the paper around each pixel."""
    mask_band: NDArray[np.uint16]
    """`band_counts` of `mask`."""
    letter_band: NDArray[np.uint16]
    """`band_counts` of `letters`."""

    def with_letter(self, letter: float) -> "PageInk":
        """Return the same ink for letters of another height in working pixels; 0 for a page without any."""
        return _select(self.components, letter, self.scale, (self.paper, self.squared_strength))

    def with_written(self, written: Mask) -> "PageInk":
        """Return the same ink with other components as its writing, shape (components,)."""
        lettered = written & lettering(self.components, self.letter)
        mask, letters = _masks(self.components, written, lettered)
        return replace(
            self,
            mask=mask,
            written=written,
            letters=letters,
            mask_band=band_counts(mask, self.letter),
            letter_band=band_counts(letters, self.letter),
        )


def find_ink(grey: Image) -> PageInk:
    """Return the ink of a grey page, shape (height, width); none on a blank one.

    A page of large letters is examined at a smaller size: their broad strokes would be taken for paper.
    """
    scale = min(WORK_SIZE / max(grey.shape), _MAX_ENLARGEMENT)
    ink = _find_ink(grey, scale)
    for _ in range(_MAX_HALVINGS):
        if ink.letter <= _MAX_LETTER:
            break
        smaller = _find_ink(grey, ink.scale / 2)
        if not smaller.letter:
            break
        ink = smaller
    return ink


def _find_ink(grey: Image, scale: float) -> PageInk:
    """Return the ink of a grey page at a size with `scale` working pixels for each of its own."""
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    work = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    paper = _paper(work)
    flat = np.asarray(cv2.divide(work, paper, scale=255), dtype=np.uint8)
    strength = cv2.multiply(cv2.subtract(paper, work), cv2.bitwise_not(flat), dtype=cv2.CV_16U)
    table = outside_paper(np.asarray(work, dtype=np.uint8), np.asarray(strength, dtype=np.uint16))
    if table is not None:
        flat[table] = _WHITE
    ink = _threshold(flat, paper)
    inked = without_rules(ink, flat)
    erase_arrows(ink, inked)
    components = Components.of(inked)
    return _select(
        components, letter_height(components), scale, (paper, np.asarray(strength, dtype=np.uint16))
    )


def _select(
    components: Components, letter: float, scale: float, tones: tuple[NDArray[np.uint8], NDArray[np.uint16]]
) -> PageInk:
    """Return the ink of the components that are writing of letters of a height; none for the height 0.

    `tones` are the page's paper and squared strength.
    """
    written = np.zeros(len(components.boxes), dtype=np.bool_)
    lettered = written
    if letter:
        written = writing(components, letter)
        lettered = written & lettering(components, letter)
    mask, letters = _masks(components, written, lettered)
    return PageInk(
        mask=mask,
        components=components,
        written=written,
        letters=letters,
        scale=scale,
        letter=letter,
        paper=tones[0],
        squared_strength=tones[1],
        mask_band=band_counts(mask, letter),
        letter_band=band_counts(letters, letter),
    )


def _masks(
    components: Components, written: Mask, lettered: Mask
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return 1 where components are writing, and where they are lettering, which is writing, too."""
    kinds = np.take(written.astype(np.uint8) + lettered, components.labels)
    return (kinds > 0).astype(np.uint8), (kinds > 1).astype(np.uint8)


def _paper(grey: Any) -> NDArray[np.uint8]:  # noqa: ANN401  # OpenCV's array type
    """Return the local paper of a page: dividing by it makes shadows, stains and coloured paper white."""
    height, width = grey.shape
    size = (max(1, width // _PAPER_REDUCTION), max(1, height // _PAPER_REDUCTION))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    light = cv2.dilate(small, np.ones((_PAPER_DILATION, _PAPER_DILATION), np.uint8))
    paper = cv2.resize(cv2.medianBlur(light, _PAPER_MEDIAN), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.maximum(paper, 1), dtype=np.uint8)


def _threshold(flat: NDArray[np.uint8], paper: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark the ink of a flattened page by the usual contrast of that page's ink (Otsu 1979)."""
    surroundings = _surroundings(flat)
    contrast = cv2.subtract(surroundings, flat)
    strong = contrast[contrast > _MIN_CONTRAST]
    if strong.size < _MIN_CONTRASTING_PIXELS:
        return np.zeros_like(flat)
    usual, _ = cv2.threshold(strong.reshape(1, -1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    solid = (flat < _SOLID[0]) & (surroundings < _SOLID[1])
    visible = cv2.multiply(contrast, paper, scale=1 / 255) >= _MIN_DIFFERENCE
    grain = grain_of(flat)
    dark = contrast > max(_MIN_CONTRAST, _INK_SHARE * usual, _INK_ABOVE_GRAIN * grain)
    ink = (dark | solid) & (visible | (paper > 2 * _MIN_DIFFERENCE) & solid)
    thin = contrast > max(_MIN_DIFFERENCE, _THIN_SHARE * usual, _THIN_ABOVE_GRAIN * grain)
    return _with_thin_strokes(ink, visible & thin)


def _surroundings(flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the mean brightness around each pixel, blurred on a reduced page."""
    small = reduced(flat, _SURROUNDINGS_REDUCTION)
    blurred = cv2.GaussianBlur(small, (0, 0), _SURROUNDINGS_SIGMA / _SURROUNDINGS_REDUCTION)
    return enlarged(np.asarray(blurred, dtype=np.uint8), _SURROUNDINGS_REDUCTION, flat.shape)


def _with_thin_strokes(ink: Mask, faint: Mask) -> NDArray[np.uint8]:
    """Add fainter ink where it joins ink: without their thin strokes letters would fall to pieces."""
    count, labels = cv2.connectedComponents((ink | faint).astype(np.uint8), connectivity=8)
    has_ink = np.zeros(count, dtype=np.uint8)
    has_ink[labels[ink]] = 1
    return np.take(has_ink, np.asarray(labels, dtype=np.int32))
