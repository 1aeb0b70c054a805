"""Lines of ALTO and PAGE: from the attributes of their elements to geometry and text."""

import re
from dataclasses import dataclass, field

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_POLYLINE_POINTS
from ketav_gateway.ground_truth.documents import GroundTruthLine, ImportedWord, Point
from ketav_gateway.ground_truth.xml_controls import stored_line
from ketav_gateway.pages.line_edits import convex_hull

_MAX_POINTS_CHARACTERS = 64 * 1024
"""Characters of a line's outline: 1,000 points have about 10,000."""
_MIN_BASELINE_POINTS = 2
_MIN_BOUNDARY_POINTS = 3
_MAX_COORDINATE = 1e7
"""Largest coordinate: far more than the pixels or tenths of millimetres of an image's side."""
_LINE_BREAK = re.compile(r"\s*[\t\r\n]\s*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
"""A double of XML Schema (Part 2, section 3.3.5), without infinities and NaN."""


@dataclass
class XmlWord:
    """A word while it is read: `texts` has PAGE's alternatives by their index, or ALTO's content at 0."""

    boundary: str = ""
    box: tuple[str, ...] = ()
    texts: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Return the text with the lowest index; empty without one."""
        return self.texts[min(self.texts)].strip() if self.texts else ""


@dataclass
class XmlLine:
    """A line while it is read: `texts` has PAGE's alternatives by their index, `box` ALTO's rectangle."""

    baseline: str = ""
    boundary: str = ""
    box: tuple[str, ...] = ()
    texts: dict[int, str] = field(default_factory=dict)
    words: list[XmlWord] = field(default_factory=list)
    ends_with_space: bool = True
    is_corrected: bool = True

    @property
    def text(self) -> str:
        """Return the line's text with the lowest index; without one, those of its words, between spaces."""
        text = self.texts[min(self.texts)].strip() if self.texts else ""
        return text or " ".join(word.text for word in self.words if word.text)


def ground_truth_line(number: int, line: XmlLine) -> GroundTruthLine:
    """Return a line with parsed geometry and text in stored form; raises InvalidInput without one of them."""
    text = line.text
    if not text:
        raise InvalidInput("The line has no text. Add it to the document.", code="no-text")
    if not line.is_corrected:
        raise InvalidInput(
            "The document marks the line as not corrected, so its text may be wrong. Correct the line "
            "before the export, or confirm all texts with the form field confirm=true.",
            code="not-corrected",
        )
    # Before version 4 an ALTO baseline was one number.
    baseline = _points(line.baseline) if "," in line.baseline or " " in line.baseline.strip() else ()
    boundary = _points(line.boundary) if line.boundary.strip() else ()
    words = tuple(word for item in line.words if (word := _word(item)))
    if not boundary and (line.box or len(baseline) < _MIN_BASELINE_POINTS):
        corners = [point for word in words for point in word.boundary]
        boundary = _box(line.box) if line.box or not corners else tuple(convex_hull(corners))
    return GroundTruthLine(number, baseline, boundary, stored_line(_LINE_BREAK.sub(" ", text)), words)


def _word(word: XmlWord) -> ImportedWord | None:
    """Return a word in stored form with its outline; None without a usable one, or for several words."""
    try:
        text = stored_line(word.text)
        boundary = _points(word.boundary) if word.boundary.strip() else _box(word.box)
    except InvalidInput:
        return None
    is_one = len(text.split()) == 1 and len(set(boundary)) >= _MIN_BOUNDARY_POINTS
    return ImportedWord(text, boundary) if is_one else None


def _points(value: str) -> tuple[Point, ...]:
    """Return the points of `x,y x,y …`, also with only spaces or only commas, thinned to at most 1,000."""
    if len(value) > _MAX_POINTS_CHARACTERS:
        raise InvalidInput(
            "The outline of the line has too many points. Export simpler outlines.", code="too-many-points"
        )
    numbers = [_number(number) for number in value.replace(",", " ").split()]
    if len(numbers) % 2:
        raise InvalidInput(
            "The outline of the line has an odd number of coordinates. Correct it in the document.",
            code="malformed-points",
        )
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    step = -(-len(points) // MAX_POLYLINE_POINTS) or 1
    return tuple(points[::step])


def _number(value: str) -> int:
    """Return a coordinate rounded to a whole number."""
    if not _NUMBER.fullmatch(value) or abs(float(value)) > _MAX_COORDINATE:
        raise InvalidInput(
            "The outline of the line has a coordinate that is not a number. Correct it in the document.",
            code="malformed-points",
        )
    return round(float(value))


def _box(box: tuple[str, ...]) -> tuple[Point, ...]:
    """Return the corners of ALTO's rectangle."""
    if not box:
        raise InvalidInput("The line has no outline. Add one to the document.", code="no-geometry")
    left, top, width, height = (_number(value) for value in box)
    right, bottom = left + width, top + height
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def page_size(width: str, height: str) -> tuple[int, int] | None:
    """Return a page's size in the document's unit; None when it is not given."""
    try:
        return _number(width), _number(height)
    except InvalidInput:
        return None
