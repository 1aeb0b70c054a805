"""The lines of a document on their image: clipped, completed with a boundary and a baseline, or refused."""

from dataclasses import replace
from itertools import pairwise
from statistics import median

from ketav_common.errors import InvalidInput
from ketav_common.images import NormalisedImage
from ketav_gateway.ground_truth.documents import Document, GroundTruthLine, ImportedWord, LineRefusal, Point

_SIZE_TOLERANCE_PX = 1
"""Difference of an image's size and its document's that rounding explains."""
_MIN_EXTENT_PX = 3
"""Width and height below which a boundary encloses no writing."""
_MIN_BOUNDARY_POINTS = 3
_ASPECT_TOLERANCE = 0.02
"""Difference of the proportions of a page in other units and of its image that rounding explains."""
_BOUNDARY_HALF = 0.6
"""Share of the lines' distance that a boundary reaches on both sides: letters may hang or stand."""
_HEIGHT_OF_LENGTH = 1 / 12
"""Height of a line by its length, where nothing else shows it."""
_MIN_BASELINE_POINTS = 2
_MAX_WORDS = 1_000
"""Words of a line that are sent with their outlines, as the registry limits them."""
_HANGING_BASELINE = 0.3
"""Where the baseline is, as a share of the line's height from the top, if the document has none. The engine
reads a line image with the same value, so a reading and an import of it have the same geometry."""


def place_lines(
    document: Document, image: NormalisedImage
) -> tuple[list[GroundTruthLine], list[LineRefusal]]:
    """Return a document's lines on its image, and its refused lines in order.

    Raises InvalidInput image-size-mismatch when the document was made for another size of the image.
    """
    if not document.in_pixels:
        document = _scaled(document, image)
    _check_size(document, image)
    lines, refusals = [], list(document.refusals)
    for line in _with_boundaries(document.lines):
        try:
            lines.append(_place_line(line, image))
        except InvalidInput as error:
            refusals.append(LineRefusal(line.number, error.code, error.detail))
    return lines, sorted(refusals, key=lambda refusal: refusal.number)


def _scaled(document: Document, image: NormalisedImage) -> Document:
    """Return a document with the lines of another unit in pixels: the image is its whole page."""
    width, height = document.size or (0, 0)
    if not width or not height:
        return document
    x_scale, y_scale = image.width / width, image.height / height
    if abs(x_scale / y_scale - 1) > _ASPECT_TOLERANCE:
        return document

    def scale(points: tuple[Point, ...]) -> tuple[Point, ...]:
        """Return points in pixels."""
        return tuple((round(x * x_scale), round(y * y_scale)) for x, y in points)

    lines = tuple(
        replace(
            line,
            baseline=scale(line.baseline),
            boundary=scale(line.boundary),
            words=tuple(ImportedWord(word.text, scale(word.boundary)) for word in line.words),
        )
        for line in document.lines
    )
    return replace(document, size=(image.width, image.height), lines=lines)


def _with_boundaries(lines: tuple[GroundTruthLine, ...]) -> tuple[GroundTruthLine, ...]:
    """Return lines, those with a baseline alone with a boundary around it, as high as the lines' distance."""
    heights = [_extent(line.boundary) for line in lines if line.boundary]
    middles = sorted(sum(y for _, y in line.baseline) / len(line.baseline) for line in lines if line.baseline)
    gaps = [below - above for above, below in pairwise(middles) if below - above >= _MIN_EXTENT_PX]
    lengths = [
        max(x for x, _ in line.baseline) - min(x for x, _ in line.baseline) for line in lines if line.baseline
    ]
    estimates = heights or gaps or [length * _HEIGHT_OF_LENGTH for length in lengths] or [0]
    half = max(round(median(estimates) * _BOUNDARY_HALF), _MIN_EXTENT_PX)
    return tuple(
        replace(line, boundary=(*_moved(line.baseline, -half), *_moved(line.baseline, half)[::-1]))
        if line.baseline and not line.boundary
        else line
        for line in lines
    )


def _moved(points: tuple[Point, ...], distance: int) -> tuple[Point, ...]:
    """Return points moved down by a distance in pixels."""
    return tuple((x, y + distance) for x, y in points)


def _extent(points: tuple[Point, ...]) -> int:
    """Return the height of points in pixels."""
    ys = [y for _, y in points]
    return max(ys) - min(ys)


def _check_size(document: Document, image: NormalisedImage) -> None:
    """Raise InvalidInput when the document gives another size than the image has."""
    if document.size is None:
        return
    width, height = document.size
    if max(abs(width - image.width), abs(height - image.height)) > _SIZE_TOLERANCE_PX:
        raise InvalidInput(
            f"The document is for an image of {width} x {height} pixels, but the image has {image.width} x "
            f"{image.height}. Add the image that the document was made for.",
            code="image-size-mismatch",
        )


def _place_line(line: GroundTruthLine, image: NormalisedImage) -> GroundTruthLine:
    """Return a line clipped to its image, with a baseline; a line without a boundary covers the image.

    Raises InvalidInput outside-image or no-area.
    """
    right, bottom = max(image.width - 1, 1), max(image.height - 1, 1)
    corners = ((0, 0), (right, 0), (right, bottom), (0, bottom))
    boundary = _clip_points(line.boundary or corners, image)
    xs, ys = [x for x, _ in boundary], [y for _, y in boundary]
    extent = min(max(xs) - min(xs), max(ys) - min(ys))
    if len(set(boundary)) < _MIN_BOUNDARY_POINTS or extent < _MIN_EXTENT_PX:
        if any(not (0 <= x <= image.width and 0 <= y <= image.height) for x, y in line.boundary):
            raise InvalidInput(
                "The line is outside the image. Correct its outline in the document.", code="outside-image"
            )
        raise InvalidInput(
            "The outline of the line encloses no area. Correct it in the document.", code="no-area"
        )
    baseline = _clip_points(line.baseline, image)
    if len(set(baseline)) < _MIN_BASELINE_POINTS:
        y = min(ys) + round((max(ys) - min(ys)) * _HANGING_BASELINE)
        baseline = ((min(xs), y), (max(xs), y))
    words = [ImportedWord(word.text, _clip_points(word.boundary, image)) for word in line.words]
    inside = tuple(word for word in words if len(set(word.boundary)) >= _MIN_BOUNDARY_POINTS)
    return replace(line, baseline=baseline, boundary=boundary, words=inside[:_MAX_WORDS])


def _clip_points(points: tuple[Point, ...], image: NormalisedImage) -> tuple[Point, ...]:
    """Return points with those outside the image moved to its edge."""
    return tuple((min(max(x, 0), image.width), min(max(y, 0), image.height)) for x, y in points)
