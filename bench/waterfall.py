"""Draw the spans of a trace as a waterfall in SVG: a row for each span below its parent, with a bar."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Final

from ketav_testing.otlp import ReceivedSpan

WIDTH, ROW, NAMES, MARGIN = 1100, 18, 430, 10
"""Pixels: the picture, a row, the column of names, the margin."""
MAX_ROWS: Final = 60
TICKS: Final = 5
SECOND_NS: Final = 10**9
COLOURS: Final = {
    "ketav-gateway": "#4c78a8",
    "ketav-registry": "#72b7b2",
    "ketav-recognizer": "#f58518",
    "ketav-trainer": "#b279a2",
    "ketav-trainer-worker": "#e45756",
}
CHILD_COLOUR: Final = "#eeca3b"
"""Colour of the stages that a child process has measured."""


def rows(spans: Sequence[ReceivedSpan]) -> Iterator[tuple[int, ReceivedSpan, int]]:
    """Yield the spans below their parents with their depth; equal neighbours are one row and a count."""
    children: dict[str, list[ReceivedSpan]] = {}
    known = {span.span_id for span in spans}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)

    def below(parent: str, depth: int) -> Iterator[tuple[int, ReceivedSpan, int]]:
        """Yield the descendants of a span."""
        for _, group in groupby(children.get(parent, ()), lambda span: (span.service, span.name)):
            same = list(group)
            yield depth, same[0], len(same)
            yield from below(same[0].span_id, depth + 1)

    yield from below("", 0)


def draw(spans: Sequence[ReceivedSpan], title: str) -> str:
    """Return the picture of a trace."""
    drawn = list(rows(spans))[:MAX_ROWS]
    first = min(span.start_ns for span in spans)
    total = max(span.end_ns for span in spans) - first
    height = MARGIN * 2 + ROW * (len(drawn) + 3)
    scale = (WIDTH - NAMES - 9 * MARGIN) / total
    size = f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{MARGIN}" y="{MARGIN + 11}" font-size="13">{escape(title)}</text>',
        *_legend(),
    ]
    top = MARGIN + 2 * ROW
    for tick in range(TICKS + 1):
        x = NAMES + scale * total * tick / TICKS
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - MARGIN}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{x + 2:.1f}" y="{top + 9}" fill="#888">{_seconds(total * tick / TICKS)}</text>'
        )
    for index, (depth, span, count) in enumerate(drawn, start=1):
        parts += _row(top + ROW * index, depth, span, count, first, scale)
    return "\n".join([*parts, "</svg>", ""])


def _legend() -> Iterator[str]:
    """Yield the names of the services in their colours."""
    x = NAMES
    for name, colour in {**COLOURS, "child process": CHILD_COLOUR}.items():
        yield f'<rect x="{x}" y="{MARGIN + 3}" width="9" height="9" fill="{colour}"/>'
        label = name.removeprefix("ketav-")
        yield f'<text x="{x + 13}" y="{MARGIN + 11}">{label}</text>'
        x += 30 + 6 * len(label)


def _row(top: int, depth: int, span: ReceivedSpan, count: int, first: int, scale: float) -> Iterator[str]:
    """Yield the name and the bar of a span."""
    name = span.name.rpartition("/")[2] if span.name.startswith("ketav.") else span.name
    label = f"{name} ×{count}" if count > 1 else name
    yield f'<text x="{MARGIN + 12 * depth}" y="{top + 12}">{escape(label)}</text>'
    colour = CHILD_COLOUR if "process.pid" in span.attributes else COLOURS.get(span.service, "#999")
    x, width = NAMES + scale * (span.start_ns - first), max(1.0, scale * (span.end_ns - span.start_ns))
    yield f'<rect x="{x:.1f}" y="{top + 3}" width="{width:.1f}" height="{ROW - 6}" fill="{colour}"/>'
    duration = _seconds(span.end_ns - span.start_ns)
    yield f'<text x="{x + width + 3:.1f}" y="{top + 12}" fill="#555">{duration}</text>'


def _seconds(nanoseconds: float) -> str:
    """Return a time in ms or s."""
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds < SECOND_NS else f"{nanoseconds / SECOND_NS:.1f} s"
