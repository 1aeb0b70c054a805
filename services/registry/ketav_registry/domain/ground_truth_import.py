"""Ground truth that was made elsewhere: an image, its lines, and what is written on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ketav_common.limits import MAX_POLYLINE_POINTS
from ketav_registry.domain.corrections_quarantine import Quarantine
from ketav_registry.domain.pages import Image, Layout
from ketav_registry.domain.requests import Request
from ketav_registry.domain.transcriptions import Line, Polyline

_BASELINE, _BOUNDARY = 2, 3


@dataclass(frozen=True, slots=True)
class KnownLine:
    """A line whose text is known; points are pixels of the image."""

    baseline: Polyline
    boundary: Polyline
    text: str


@dataclass(frozen=True, slots=True)
class KnownPage:
    """What is known of an image before its bytes; `confirmed`: the user vouches for every text."""

    project_id: UUID
    layout: Layout
    image: Image
    lines: tuple[KnownLine, ...]
    confirmed: bool
    request: Request


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import: lines stored (not those known before), doubts by the line's index."""

    page_id: UUID
    imported_lines: int
    quarantined: tuple[tuple[int, Quarantine], ...]
    ground_truth_lines: int


def content_key(page: KnownPage, sha256: bytes) -> str:
    """Name a page by its project, layout and image: the same is imported once."""
    return f"import:{page.project_id}:{page.layout}:{sha256.hex()}"


def lies_within(line: KnownLine, image: Image) -> bool:
    """Say whether a line is a polyline and a polygon of bounded length that lie on the image."""
    return all(
        least <= len(points) <= MAX_POLYLINE_POINTS
        and all(0 <= x <= image.width and 0 <= y <= image.height for x, y in points)
        for points, least in ((line.baseline, _BASELINE), (line.boundary, _BOUNDARY))
    )


def unread(lines: Sequence[KnownLine]) -> tuple[Line, ...]:
    """Return the lines as a transcription has them: in order, without a text that was read."""
    return tuple(Line(order, line.baseline, line.boundary, "", 0.0) for order, line in enumerate(lines))
