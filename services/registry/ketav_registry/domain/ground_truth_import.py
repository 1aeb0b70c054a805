"""Imported ground truth: an image with lines whose texts are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ketav_common.limits import MAX_POLYLINE_POINTS
from ketav_registry.domain.corrections import UntrainedLine
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.pages import Image, Layout
from ketav_registry.domain.requests import RequestKey
from ketav_registry.domain.transcriptions import ImportedWord, Line, Polyline, geometry_digests

_MIN_BASELINE_POINTS = 2
"""A polyline has two ends."""
_MIN_BOUNDARY_POINTS = 3
"""A polygon has at least three corners."""
_MAX_WORDS = 1_000
"""Words of a line with an outline: far more than a line of writing has."""


@dataclass(frozen=True, slots=True)
class NewGroundTruthLine:
    """A line of ground truth to import; points are pixels of the image."""

    baseline: Polyline
    boundary: Polyline
    text: str
    words: tuple[ImportedWord, ...] = ()


@dataclass(frozen=True, slots=True)
class PageImport:
    """The header of an import; `confirmed`: the user confirms all texts.

    `hand` is the name of the hand that the project must have; empty: whatever it has.
    """

    project_id: UUID
    layout: Layout
    image: Image
    lines: tuple[NewGroundTruthLine, ...]
    confirmed: bool
    request: RequestKey
    hand: str = ""


@dataclass(frozen=True, slots=True)
class QuarantinedImport:
    """A quarantined line by its index in the request."""

    line: int
    quarantine: Quarantine


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The stored page, the number of lines that this import stored, and those of them that are quarantined.

    `ground_truth_lines` counts all verified lines of the user.
    """

    page_id: UUID
    imported_lines: int
    quarantined: tuple[QuarantinedImport, ...]
    ground_truth_lines: int
    untrained: tuple[tuple[int, UntrainedLine], ...] = ()
    """Lines that do not train, by their index in the request."""


def content_key(page_import: PageImport, sha256: bytes) -> str:
    """Return the request id under which an image is stored: once for each project and layout."""
    return f"import:{page_import.project_id}:{page_import.layout}:{sha256.hex()}"


def geometry_problem(line: NewGroundTruthLine, image: Image) -> str:
    """Return why a line's geometry cannot be stored ("has a baseline of …"); empty when it can."""
    if len(line.words) > _MAX_WORDS:
        return f"has {len(line.words):,} words with an outline, not up to {_MAX_WORDS:,}"
    for name, points, min_points in (
        ("baseline", line.baseline, _MIN_BASELINE_POINTS),
        ("boundary", line.boundary, _MIN_BOUNDARY_POINTS),
        *(("word", word.boundary, _MIN_BOUNDARY_POINTS) for word in line.words),
    ):
        if not min_points <= len(points) <= MAX_POLYLINE_POINTS:
            return f"has a {name} of {len(points)} points, not {min_points} to {MAX_POLYLINE_POINTS:,}"
        if not all(0 <= x <= image.width and 0 <= y <= image.height for x, y in points):
            return f"has a {name} that leaves the image of {image.width} x {image.height} pixels"
    return ""


def as_transcription(lines: Sequence[NewGroundTruthLine]) -> tuple[Line, ...]:
    """Return the lines as those of a transcription: in order, with empty readings."""
    return tuple(
        Line(order, line.baseline, line.boundary, "", 0.0, imported_words=line.words)
        for order, line in enumerate(lines)
    )


def has_lines(stored: Sequence[Line], imported: Sequence[Line]) -> bool:
    """Return whether stored lines have the geometry of imported ones, and their words if they have some."""
    return geometry_digests(stored) == geometry_digests(imported) and all(
        not new.imported_words or new.imported_words == line.imported_words
        for line, new in zip(stored, imported, strict=True)
    )
