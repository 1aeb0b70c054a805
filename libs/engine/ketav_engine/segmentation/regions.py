"""Region types: which lines are headings, headers, footers, page numbers or notes in the margin.

The words are those of PAGE 2019-07-15 (TextTypeSimpleType). Positions decide; a page number is recognised
by its text, too. Lengths are in line heights unless a constant says otherwise. The constants were set on
drawn pages.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ketav_engine.domain import RegionType
from ketav_engine.segmentation.components import Mask
from ketav_engine.segmentation.line_boxes import LineBoxes
from ketav_engine.segmentation.separators import Separators

_BODY_WIDTH: Final = 0.5
"""Share of the width of a usual long line from which a line shows how far a column extends."""
_LONG_LINE: Final = 90
"""Percentile of the lines' widths that counts as a long line."""
_FULL_WIDTH: Final = 0.75
"""Share of the width of its column from which a line fills it: the first line of a text may be indented."""
_HEADING_WIDTH: Final = 0.7
"""Width of a heading inside a column at most, as a share of the column's."""
_CENTRED: Final = 0.06
"""Distance between the middles of a heading and its column at most, as a share of the column's width."""
_MIN_INDENT: Final = 1.5
"""Blank paper at both ends of a heading inside a column at least."""
_MAX_HEADINGS: Final = 0.15
"""Share of the lines that can be headings inside columns, but one in any case: more of them are a list."""
_MAX_SEPARATORS: Final = 3
"""Separators of a page that has no more other lines: with more of them the page has no columns, as a poem."""
_DETACHED: Final = 1.4
"""Distance of a footer from the line above, in usual distances between lines: a signature is nearer."""
_MARGIN_WIDTH: Final = 0.4
"""Width of a note in the margin at most, as a share of a long line's."""
_MIN_COLUMN_LINES: Final = 3
"""Lines of the columns that a note in the margin stands next to at least."""

_ORNAMENTS: Final = " -–—.,·()[]|/:'\"׳״"
"""Characters around a page number and within a Hebrew one."""
_MAX_DIGITS: Final = 4
_NUMERALS: Final = {
    letter: value
    for letters, unit in (("אבגדהוזחט", 1), ("יכלמנסעפצ", 10), ("קרש", 100))
    for value, letter in zip(range(unit, 10 * unit, unit), letters, strict=False)
}
"""Values of the Hebrew letters as numerals below 400: תם, the end, is no page number."""


@dataclass(frozen=True, slots=True)
class _Column:
    """The extent of the lines that are above or below one another, in pixels of the image."""

    left: float
    right: float

    @property
    def width(self) -> float:
        """Return its width."""
        return self.right - self.left

    def has_centred(self, left: float, right: float) -> bool:
        """Return whether a line from `left` to `right` is centred in it."""
        return abs(left + right - self.left - self.right) / 2 <= _CENTRED * self.width


def region_types(boxes: LineBoxes, separators: Separators) -> list[RegionType]:
    """Return what each line is on its page; page numbers are still headers, headings or footers."""
    types: list[RegionType] = ["paragraph"] * len(boxes.left)
    if not types:
        return types
    overlaps = boxes.overlaps()
    outside = separators.top | separators.middle | separators.bottom
    if len(outside) > max(_MAX_SEPARATORS, len(types) - len(outside)):
        return types
    inside = np.array([line not in outside for line in range(len(types))])
    long_line = float(np.percentile(boxes.width[inside], _LONG_LINE)) if inside.any() else 0.0
    body = inside & (boxes.width >= _BODY_WIDTH * long_line)
    for line in range(len(types)):
        if line in outside:
            types[line] = _separator_type(line, boxes, separators, body, overlaps)
        elif _is_marginal(line, boxes, body, overlaps, long_line):
            types[line] = "marginalia"
    headings = [line for line in range(len(types)) if types[line] == "paragraph" and line not in outside]
    headings = [line for line in headings if _is_inner_heading(line, boxes, body, overlaps)]
    if len(headings) <= max(1, _MAX_HEADINGS * len(types)):
        for line in headings:
            types[line] = "heading"
    return types


def is_page_number(text: str, region: RegionType) -> bool:
    """Return whether a text at the top or bottom of a page is its number, in digits or in Hebrew letters."""
    if region not in {"heading", "header", "footer"}:
        return False
    number = text.strip(_ORNAMENTS)
    if number.isdecimal():
        return len(number) <= _MAX_DIGITS
    values = [_NUMERALS.get(letter, 0) for letter in number if letter not in _ORNAMENTS]
    descending = all(high > low > 0 for high, low in pairwise(values))
    return region != "heading" and 0 < len(values) <= _MAX_DIGITS and all(values) and descending


def _separator_type(
    line: int, boxes: LineBoxes, separators: Separators, body: Mask, overlaps: Mask
) -> RegionType:
    """Return the type of a separator; `body` are the long lines of the columns."""
    below = line in separators.bottom
    under = overlaps[line] & body
    numbers = np.flatnonzero(under)
    across = bool(numbers.size) and not overlaps[np.ix_(numbers, numbers)].all()
    if across or line in separators.middle:
        return "footer" if below else "heading"
    column = _extent(boxes, under)
    left, right = float(boxes.left[line]), float(boxes.right[line])
    if column is not None and right - left >= _FULL_WIDTH * column.width:
        return "paragraph"
    if below:
        return "footer" if _is_detached(line, boxes, separators) else "paragraph"
    block = _Column(float(boxes.left[body].min()), float(boxes.right[body].max())) if body.any() else None
    centred = any(extent is not None and extent.has_centred(left, right) for extent in (column, block))
    return "heading" if centred else "header"


def _is_detached(line: int, boxes: LineBoxes, separators: Separators) -> bool:
    """Return whether a line at the bottom is farther from the columns than their lines are apart."""
    rest = [other for other in range(len(boxes.left)) if other not in separators.bottom]
    distance = float(boxes.middle[line] - boxes.middle[rest].max(initial=-np.inf))
    return distance > _DETACHED * boxes.pitch(boxes.overlaps())


def _is_marginal(line: int, boxes: LineBoxes, body: Mask, overlaps: Mask, long_line: float) -> bool:
    """Return whether a narrow line stands next to the long lines of the columns and above none of them."""
    if boxes.width[line] > _MARGIN_WIDTH * long_line or (overlaps[line] & body).any():
        return False
    return int(np.count_nonzero(body)) >= _MIN_COLUMN_LINES


def _is_inner_heading(line: int, boxes: LineBoxes, body: Mask, overlaps: Mask) -> bool:
    """Return whether a line inside a column is short and centred in it."""
    under = overlaps[line] & body
    under[line] = False
    column = _extent(boxes, under)
    if column is None or np.count_nonzero(under) < _MIN_COLUMN_LINES:
        return False
    if np.median(np.abs(boxes.right[under] - column.right)) > boxes.line_height:
        return False  # lines that do not begin at one margin are centred as a poem is
    left, right = float(boxes.left[line]), float(boxes.right[line])
    indent = min(left - column.left, column.right - right)
    return (
        right - left <= _HEADING_WIDTH * column.width
        and indent >= _MIN_INDENT * boxes.line_height
        and column.has_centred(left, right)
    )


def _extent(boxes: LineBoxes, lines: Mask) -> _Column | None:
    """Return the extent of lines, None without any."""
    if not lines.any():
        return None
    return _Column(float(np.median(boxes.left[lines])), float(np.median(boxes.right[lines])))
