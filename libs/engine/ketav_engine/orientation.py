"""Direction of the writing: pages turned by any angle are read upright.

The profile of the ink tells whether the lines run across or up the image, in a few hundredths of a second.
Two directions remain, and the confidence of some lines in each tells them apart. An image is turned only
when the reading that results is better than the one without the turn. A whole page is read at most twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ketav_common.image_turning import turned, turned_size
from ketav_common.limits import MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE_PIXELS
from ketav_engine.budgets import is_out_of_time
from ketav_engine.domain import Engine, FoundLine, Image, Layout, Model, Reading, ReadPage
from ketav_engine.segmentation.line_finder import to_grey

_WORK_PIXELS: Final = 400
"""Pixels of the longer side of the reduced image on which the direction is judged: lines are 2 to 10 high."""
_PAPER_DILATION: Final = 5
_PAPER_MEDIAN: Final = 21
"""Reduced pixels of the filters that estimate the paper."""
_ALONG: Final = 61
"""Reduced pixels along a line over which its ink is averaged: several words."""
_ACROSS: Final = 15
"""Reduced pixels across, in which a line and its neighbouring space lie."""
_CLEAR_RATIO: Final = 1.8
"""Ratio of the profiles across and up the image above which only a few other angles are tried: 2.7 or more on
upright pages, 0.37 or less on their sides, up to 2.9 on drawn pages askew by 25 to 65 degrees."""
_COARSE_ANGLES: Final = (*range(-72, -15, 8), *range(16, 73, 8))
"""Degrees that are tried then."""
_COARSE_GAIN: Final = 1.05
"""Factor by which the profile at one of them must exceed the one of the image: they are up to four degrees
off the best angle."""
_MIN_ENERGY: Final = 0.5
"""Energy of a profile, in squared grey levels, below which an image has no lines."""
_ANGLES: Final = (*range(-88, 90, 4), 90)
"""Degrees at which the profile of an image without a clear direction is taken."""
_MIN_SKEW: Final = 12
"""Degrees of skew up to which the line finder follows the lines itself."""
_SKEW_GAIN: Final = 1.2
"""Factor by which the profile at an angle must exceed the one of the image as it is.

On pages of three to five lines whose strokes lie level after a turn by 105 to 120 degrees it is 1.2 to 1.8. A
page that is turned without need is also read without the turn, and the better reading counts."""

_MIN_RISE: Final = 0.5
"""Rise of a single line over its length from which it is straightened, in heights of the line."""
_MIN_LINE_SKEW: Final = 2
"""Degrees of skew from which it is."""
_MIN_ELONGATION: Final = 2.0
"""Length of a line's ink in its heights at least: the course of a shorter word may be that of its strokes."""
_DARKEST: Final = 99
_MIN_DARKNESS: Final = 0.4
"""Percentile of the darkness of an image's pixels that is that of ink, and the share of it that ink has."""
_LETTER: Final = 5
"""Reduced pixels of a letter's side when the profile is taken, at most."""
_MIN_LETTERS: Final = 4
"""Letters of an image that has lines at least: the strokes of a single one have any direction."""
_SPECK: Final = 2
"""Reduced pixels of a component's side up to which it is no letter."""

_CLEAR_CONFIDENCE: Final = 0.92
"""Confidence of a page above which no other direction is tried: upside down, no page reached 0.90."""
_SAMPLE_LINES: Final = 3
"""Lines that are also read upside down."""
_SAMPLE_HEIGHTS: Final = 8
"""Width in heights to which such a line is cut, about four words: whole lines took 13 % of a page's time."""
_MARGIN: Final = 0.03
"""Confidence by which another direction must be better, for a long text."""
_MARGIN_CHARACTERS: Final = 0.5
"""Divided by the characters compared, what is added to the margin: a short text proves little."""
_HALF_TURN: Final = 180
_MIN_CHARACTERS_SHARE: Final = 0.7
"""Share of the characters that the other direction must have."""


def read_upright(engine: Engine, image: Image, layout: Layout, model: Model) -> ReadPage:
    """Read an image in the direction in which it reads best; `turn` of the result says which one.

    A turn after which the image would have more pixels than an upload may have is not tried.
    """
    turn = (line_turn if layout == "line" else probable_turn)(to_grey(image))
    turn = turn if _can_be_stored(image, turn) else 0
    if turn == 0:
        return _read_either_way(engine, image, layout, model)
    page = _read_sampled(engine, image, layout, model, turn)
    if page.confidence >= _CLEAR_CONFIDENCE or is_out_of_time():
        return page
    unturned = _read_sampled(engine, image, layout, model, 0)
    complete = len(page.text) >= _MIN_CHARACTERS_SHARE * len(unturned.text)
    if is_out_of_time():  # the second reading is incomplete
        return page
    return page if complete and page.confidence > unturned.confidence + _MARGIN else unturned


def _can_be_stored(image: Image, degrees: int) -> bool:
    """Return whether an image stays within the limits of an upload after a turn."""
    height, width = image.shape[:2]
    size = turned_size(width, height, degrees)
    return max(size) <= MAX_IMAGE_SIDE_PIXELS and size[0] * size[1] <= MAX_IMAGE_PIXELS


def turn_image(image: Image, degrees: int) -> Image:
    """Return an image turned clockwise as the gateway turns the stored one."""
    return np.asarray(turned(Pillow.fromarray(image), degrees)) if degrees else image


def probable_turn(grey: Image) -> int:
    """Return the degrees clockwise after which the lines of a grey image probably run across it.

    Whether the writing then stands on its head is left open.
    """
    ink = _ink(grey)
    sizes = _letter_sizes(ink)
    if sizes.size < _MIN_LETTERS:
        return 0
    ink = _at_letter_size(ink, float(np.median(sizes)))
    across, up = _profile(ink), _profile(ink.T)
    if max(across, up) < _MIN_ENERGY:
        return 0
    if across >= _CLEAR_RATIO * up:
        coarse = max(_profile(_turned_ink(ink, degrees)) for degrees in _COARSE_ANGLES)
        if coarse < _COARSE_GAIN * across:
            return 0
    profiles = {degrees: _profile(_turned_ink(ink, degrees)) for degrees in _ANGLES}
    best: int = max(profiles, key=lambda degrees: profiles[degrees])
    if profiles[best] < _SKEW_GAIN * profiles[0] or abs(best) <= _MIN_SKEW:
        return 0
    return 90 if abs(best) >= 90 - _MIN_SKEW else best


def line_turn(grey: Image) -> int:
    """Return the degrees clockwise after which the only line of a grey image probably runs across it.

    The course of a line is the principal axis of its ink; an image of one line has no profile of lines.
    """
    ink = _ink(grey)
    rows, columns = np.nonzero(ink > _MIN_DARKNESS * np.percentile(ink, _DARKEST))
    if len(rows) < 2:
        return 0
    spreads, axes = np.linalg.eigh(np.cov(columns, rows))
    if spreads[1] < _MIN_ELONGATION**2 * max(float(spreads[0]), 1.0):
        return 0
    across, down = axes[:, 1]
    skew = float(np.degrees(np.arctan2(down, across)) % 180)  # a course has no direction
    min_skew = max(_MIN_LINE_SKEW, float(np.degrees(_MIN_RISE * np.sqrt(spreads[0] / spreads[1]))))
    if min(skew, 180 - skew) < min_skew:
        return 0
    if abs(skew - 90) < min_skew:
        return 90
    return -round(skew if skew < 90 else skew - 180)


def _ink(grey: Image) -> NDArray[np.float32]:
    """Return how much darker than the paper the pixels of a reduced image are, in grey levels."""
    scale = min(1.0, _WORK_PIXELS / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    light = cv2.dilate(small, np.ones((_PAPER_DILATION, _PAPER_DILATION), np.uint8))
    paper = cv2.medianBlur(light, _PAPER_MEDIAN)
    return np.asarray(cv2.subtract(paper, small), dtype=np.float32)


def _letter_sizes(ink: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the sides of the squares that have the areas of the letters' boxes, in reduced pixels."""
    dark = (ink > _MIN_DARKNESS * np.percentile(ink, _DARKEST)).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    sizes = np.sqrt(boxes[1:, cv2.CC_STAT_WIDTH] * boxes[1:, cv2.CC_STAT_HEIGHT].astype(np.float64))
    return np.asarray(sizes[sizes > _SPECK], dtype=np.float64)


def _at_letter_size(ink: NDArray[np.float32], letter: float) -> NDArray[np.float32]:
    """Return ink reduced until its letters are as high as those of a page of many lines.

    The fewer lines an image has, the larger its letters are; the profile of large letters is that of strokes.
    """
    factor = _LETTER / letter
    if factor >= 1:
        return ink
    size = tuple(max(1, round(side * factor)) for side in ink.shape[::-1])
    return np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _profile(ink: NDArray[np.float32]) -> float:
    """Return the energy of the changes across lines that run along the rows of an image."""
    along = cv2.blur(np.ascontiguousarray(ink), (_ALONG, 1), borderType=cv2.BORDER_CONSTANT)
    change = along - cv2.blur(along, (1, _ACROSS))
    return float((change**2).mean())


def _turned_ink(ink: NDArray[np.float32], degrees: int) -> NDArray[np.float32]:
    """Return ink turned clockwise about its middle; the size stays, so that energies can be compared."""
    height, width = ink.shape
    side = max(height, width)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    matrix[:, 2] += ((side - width) / 2, (side - height) / 2)
    out = np.asarray(cv2.warpAffine(ink, matrix, (side, side)), dtype=np.float32)
    return out * np.float32(side / np.sqrt(height * width))


def _read_either_way(engine: Engine, image: Image, layout: Layout, model: Model) -> ReadPage:
    """Read an image, and read it upside down as well where some of its lines are read better so."""
    page = engine.read_page(image, layout, model)
    if page.confidence >= _CLEAR_CONFIDENCE or is_out_of_time():
        return page
    lines = sorted(page.lines, key=lambda line: -len(line.text))[:_SAMPLE_LINES]
    lines = [line for line in lines if line.text]
    positions = [FoundLine(line.order, line.baseline, line.boundary) for line in lines]
    samples, share = _left_ends(engine, image, positions, model)
    upright = [Reading(line.text, line.confidences) for line in lines]
    if not _reads_better(_flipped(engine, samples, model), upright, share):
        return page
    flipped = engine.read_page(turn_image(image, _HALF_TURN), layout, model)
    if is_out_of_time() or flipped.confidence <= page.confidence:
        return page
    return replace(flipped, turn=_HALF_TURN)


def _read_sampled(engine: Engine, image: Image, layout: Layout, model: Model, turn: int) -> ReadPage:
    """Read an image once, turned by degrees or by 180 more, as its longest lines are read better."""
    turned_image = turn_image(image, turn)
    lines = sorted(engine.find_lines(turned_image, layout), key=lambda line: -_extent(line))[:_SAMPLE_LINES]
    samples, _ = _left_ends(engine, turned_image, lines, model)
    upright = engine.read_lines(samples, model)
    if _reads_better(_flipped(engine, samples, model), upright, 1.0):
        turn += _HALF_TURN
        turned_image = turn_image(image, turn)
    return replace(engine.read_page(turned_image, layout, model), turn=turn % 360)


def _extent(line: FoundLine) -> int:
    """Return the columns that a line extends over."""
    columns = [x for x, _ in line.boundary]
    return max(columns) - min(columns)


def _left_ends(
    engine: Engine, image: Image, lines: Sequence[FoundLine], model: Model
) -> tuple[list[Image], float]:
    """Return the left end of each line, about four words wide, and the share of all the width that they have.

    There Hebrew lines end. A sample is (height of the model's lines, width) uint8; the share is 0 to 1, and 1
    without lines.
    """
    crops = engine.cut_lines(image, lines, model.info.height)
    samples = [np.ascontiguousarray(crop[:, : _SAMPLE_HEIGHTS * crop.shape[0]]) for crop in crops]
    width = sum(crop.shape[1] for crop in crops)
    return samples, sum(sample.shape[1] for sample in samples) / width if width else 1.0


def _flipped(engine: Engine, samples: Sequence[Image], model: Model) -> list[Reading]:
    """Read samples of lines upside down."""
    return engine.read_lines([np.ascontiguousarray(sample[::-1, ::-1]) for sample in samples], model)


def _reads_better(flipped: Sequence[Reading], upright: Sequence[Reading], share: float) -> bool:
    """Return whether samples read clearly better upside down; `share` is theirs of the upright readings."""
    characters = share * _characters(upright)
    if not characters or _characters(flipped) < _MIN_CHARACTERS_SHARE * characters:
        return False
    margin = _MARGIN + _MARGIN_CHARACTERS / characters
    return _confidence(flipped) > _confidence(upright) + margin


def _characters(readings: Sequence[Reading]) -> int:
    """Return the number of characters of readings."""
    return sum(len(reading.text) for reading in readings)


def _confidence(readings: Sequence[Reading]) -> float:
    """Return the mean confidence of the characters of readings."""
    confidences = [value for reading in readings for value in reading.confidences]
    return sum(confidences) / len(confidences) if confidences else 0.0
