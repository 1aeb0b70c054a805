"""Regions of a page for the exports: neighbouring lines of one region type in reading order."""

from dataclasses import dataclass
from itertools import groupby

from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.schemas import CorrectedLine, Position, RegionType
from ketav_gateway.transcriptions.word_boxes import extent


@dataclass(frozen=True)
class Region:
    """Lines of one type that follow each other; `number` counts the regions of a page from 0."""

    number: int
    type: RegionType
    lines: list[CorrectedLine]

    @property
    def name(self) -> str:
        """Return the id of the region in an export."""
        return f"region_{self.number}"

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of the rectangle around its lines, in pixels."""
        return extent([point for line in self.lines for point in outline(line)])

    @property
    def corners(self) -> list[Position]:
        """Return the corners of that rectangle."""
        left, top, right, bottom = self.box
        return [(left, top), (right, top), (right, bottom), (left, bottom)]


def outline(line: CorrectedLine) -> list[Position]:
    """Return a line's boundary, its baseline without one, or the page's corner without either."""
    return line.boundary or line.baseline or [(0, 0)]


def page_lines(page: Page) -> list[CorrectedLine]:
    """Return the page's lines in reading order; an empty list if the page has no transcription."""
    lines = page.transcription.lines if page.transcription else []
    return sorted(lines, key=lambda line: line.order)


def page_regions(page: Page) -> list[Region]:
    """Return the regions of a page in reading order."""
    groups = groupby(page_lines(page), key=lambda line: line.region)
    return [Region(number, kind, list(lines)) for number, (kind, lines) in enumerate(groups)]


def confident_page(page: Page, min_confidence: float) -> Page:
    """Return a page without the lines of a lower confidence that no person has verified."""
    if page.transcription is None or not min_confidence:
        return page
    lines = [
        line
        for line in page.transcription.lines
        if line.confidence >= min_confidence or line.verified_text is not None
    ]
    return page.model_copy(update={"transcription": page.transcription.model_copy(update={"lines": lines})})
