"""Geometry and texts of edited lines: merged ones, the parts of a split one, and drawn ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import transcriptions_pb2
from ketav_common.errors import InvalidInput
from ketav_gateway.transcriptions.word_boxes import clipped, extent

Position = tuple[int, int]
_HORIZONTAL = (1.0, 0.0)
_MIN_CORNERS = 3


@dataclass
class EditedPage:
    """The lines of a page while they are edited, as items of the registry's request."""

    lines: list[page_pb2.Line]
    items: list[transcriptions_pb2.EditedLine] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with all lines as they are."""
        self.items = [transcriptions_pb2.EditedLine(line_id=line.line_id) for line in self.lines]

    def index(self, line_id: str, pointer: str) -> int:
        """Return the position of a line that a body names at a pointer; raises InvalidInput unknown-line."""
        index = self.find(line_id)
        if index is not None:
            return index
        raise InvalidInput(
            "The image has no line with this id in its latest transcription. Get the image again and send "
            "the ids of its lines.",
            code="unknown-line",
            details={"pointer": pointer, "line_id": line_id},
        )

    def find(self, line_id: str) -> int | None:
        """Return the position of a line; None: the page has no such line."""
        ids = [line.line_id for line in self.lines]
        return ids.index(line_id) if line_id in ids else None

    def replace(self, indexes: Sequence[int], new: Sequence[transcriptions_pb2.EditedLine]) -> None:
        """Put new lines at the position of the first of some lines, and leave these out."""
        first, removed = min(indexes), set(indexes)
        before = [item for index, item in enumerate(self.items[:first]) if index not in removed]
        after = [item for index, item in enumerate(self.items) if index > first and index not in removed]
        self.items = [*before, *new, *after]

    def insert(self, position: int, line: page_pb2.Line) -> None:
        """Add a line before a position."""
        self.items.insert(position, transcriptions_pb2.EditedLine(new_line=line))

    def move(self, index: int, position: int) -> None:
        """Move a line to another position."""
        self.items.insert(position, self.items.pop(index))


def shown_text(line: page_pb2.Line) -> str:
    """Return the text that a page shows of a line: its latest correction, or its reading."""
    return line.corrected_text if line.HasField("corrected_text") else line.text


def merged(lines: Sequence[page_pb2.Line]) -> transcriptions_pb2.EditedLine:
    """Return the line that replaces several: around all of them, with their texts one after the other.

    It is in the region of the first. It is corrected if all of them are, outside quarantine.
    """
    item = transcriptions_pb2.EditedLine(
        new_line=_line(
            [(point.x, point.y) for line in lines for point in line.baseline],
            convex_hull([(point.x, point.y) for line in lines for point in line.boundary]),
            _joined(shown_text(line) for line in lines),
            sum(line.confidence for line in lines) / len(lines),
            lines[0].region,
        ),
        replaced_line_ids=[line.line_id for line in lines],
    )
    if all(line.HasField("verified_text") and not line.HasField("quarantine") for line in lines):
        item.corrected_text = _joined(line.verified_text for line in lines)
    return item


def split(line: page_pb2.Line, texts: tuple[str, str], x: int | None) -> list[transcriptions_pb2.EditedLine]:
    """Return the right and the left part of a line, divided at a column of the image.

    Without `x`, the line is divided by the lengths of the texts. The parts are corrected if the line is, and
    the texts are its own. InvalidInput: the column is not within the line.
    """
    boundary = [(point.x, point.y) for point in line.boundary]
    left, _, right, _ = extent(boundary)
    share = (len(texts[0]) + 0.5) / (len(texts[0]) + len(texts[1]) + 1)
    at = round(right - share * (right - left)) if x is None else x
    if not left < at < right:
        raise InvalidInput(
            f"The column {at} is not within the line, which is from {left} to {right}. Send one between "
            "them.",
            details={"pointer": "/x"},
        )
    baseline = [(point.x, point.y) for point in line.baseline]
    is_verified = line.HasField("verified_text") and not line.HasField("quarantine")
    same = is_verified and _joined(texts).replace(" ", "") == line.verified_text.replace(" ", "")
    parts = []
    for text, low, high in ((texts[0], at, right), (texts[1], left, at)):
        part = _line(
            _cut(baseline, low, high),
            clipped(boundary, _HORIZONTAL, low, high),
            text,
            line.confidence,
            line.region,
        )
        item = transcriptions_pb2.EditedLine(new_line=part, replaced_line_ids=[line.line_id])
        if same:
            item.corrected_text = text
        parts.append(item)
    return parts


def drawn(boundary: Sequence[Position], baseline: Sequence[Position], image: page_pb2.Image) -> page_pb2.Line:
    """Return a new line with points within the image; without a baseline it hangs from its upper edge."""
    points = [_within(point, image) for point in boundary]
    left, top, right, bottom = extent(points)
    if len(points) < _MIN_CORNERS or right - left < _MIN_CORNERS or bottom - top < _MIN_CORNERS:
        raise InvalidInput(
            "The boundary encloses no line. Send at least three points that are not in one row or column.",
            details={"pointer": "/boundary"},
        )
    hanging = top + (bottom - top) // 4
    line = [_within(point, image) for point in baseline] or [(right, hanging), (left, hanging)]
    return _line(line, points, "", 0.0)


def changed(
    line: page_pb2.Line, boundary: Sequence[Position], baseline: Sequence[Position], image: page_pb2.Image
) -> transcriptions_pb2.EditedLine:
    """Return a line with another geometry, and the text and region that it has.

    Without a baseline it keeps its own, fitted into the new boundary; a vertical one becomes level.
    """
    own = [(point.x, point.y) for point in line.baseline]
    points = [_within(point, image) for point in boundary]
    new = drawn(points, baseline or _fitted(own, points), image)
    new.text, new.confidence, new.region = shown_text(line), line.confidence, line.region
    item = transcriptions_pb2.EditedLine(new_line=new, replaced_line_ids=[line.line_id])
    if line.HasField("verified_text") and not line.HasField("quarantine"):
        item.corrected_text = line.verified_text
    return item


def convex_hull(points: Sequence[Position]) -> list[Position]:
    """Return the smallest convex polygon around points (monotone chain; Andrew, 1979)."""
    ordered = sorted(set(points))
    chains: list[list[Position]] = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[Position] = []
        for x, y in sequence:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], (x, y)) <= 0:
                chain.pop()
            chain.append((x, y))
        chains.append(chain[:-1])
    return chains[0] + chains[1] or ordered


def _turn(a: Position, b: Position, c: Position) -> int:
    """Return twice the signed area of a triangle: its sign is the direction of the turn at b."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cut(polyline: Sequence[Position], low: int, high: int) -> list[Position]:
    """Return the part of a polyline between two columns; an edge that crosses one is cut there."""
    points = list(polyline[:1]) if polyline and low <= polyline[0][0] <= high else []
    for (x0, y0), (x1, y1) in pairwise(polyline):
        crossed = [x for x in (low, high) if min(x0, x1) < x < max(x0, x1)]
        for x in sorted(crossed, reverse=x1 < x0):
            points.append((x, round(y0 + (y1 - y0) * (x - x0) / (x1 - x0))))
        if low <= x1 <= high:
            points.append((x1, y1))
    return points


def _fitted(baseline: Sequence[Position], boundary: Sequence[Position]) -> list[Position]:
    """Return a baseline from side to side of another boundary, in its direction: cut, or made longer.

    One that would be above or below the boundary is moved into its upper quarter. Empty: the baseline is
    vertical or has no direction.
    """
    left, top, right, bottom = extent(boundary)
    ascending = sorted(baseline)
    if not ascending or ascending[0][0] == ascending[-1][0]:
        return []
    (x0, y0), (x1, y1) = ascending[0], ascending[-1]
    slope = (y1 - y0) / (x1 - x0)
    before = [(left, round(y0 + slope * (left - x0)))] if left < x0 else []
    after = [(right, round(y1 + slope * (right - x1)))] if right > x1 else []
    points = _cut([*before, *ascending, *after], left, right)
    if not all(top <= y <= bottom for _, y in points):
        shift = top + (bottom - top) // 4 - (points[0][1] + points[-1][1]) // 2
        points = [(x, max(top, min(y + shift, bottom))) for x, y in points]
    return points if baseline[0][0] < baseline[-1][0] else points[::-1]


def _within(point: Position, image: page_pb2.Image) -> Position:
    """Return the nearest position within an image."""
    return max(0, min(point[0], image.width - 1)), max(0, min(point[1], image.height - 1))


def _joined(texts: Iterable[str]) -> str:
    """Return texts with a space between them, without empty ones."""
    return " ".join(text.strip() for text in texts if text.strip())


def _line(
    baseline: Sequence[Position],
    boundary: Sequence[Position],
    text: str,
    confidence: float,
    region: page_pb2.RegionType.ValueType = page_pb2.REGION_TYPE_PARAGRAPH,
) -> page_pb2.Line:
    """Return the registry's message of a line, without an id or order; points are pixels of the image."""
    return page_pb2.Line(
        baseline=[page_pb2.Point(x=x, y=y) for x, y in baseline],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in boundary],
        text=text,
        confidence=confidence,
        region=region,
    )
