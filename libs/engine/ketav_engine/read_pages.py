"""Pages put together from their lines and readings."""

from collections.abc import Sequence

from ketav_engine.domain import FoundLine, Image, Reading, ReadLine, ReadPage
from ketav_engine.segmentation.regions import is_page_number


def assemble(
    image: Image, lines: Sequence[FoundLine], readings: Sequence[Reading], warnings: Sequence[str] = ()
) -> ReadPage:
    """Return a page of found lines and their readings, whose extents are along the baselines."""
    height, width = image.shape[:2]
    read_lines = tuple(
        ReadLine(
            order=line.order,
            baseline=line.baseline,
            boundary=line.boundary,
            text=reading.text,
            confidence=reading.confidence,
            confidences=reading.confidences,
            words=reading.words,
            extents=reading.extents,
            region="page-number" if is_page_number(reading.text, line.region) else line.region,
        )
        for line, reading in zip(lines, readings, strict=True)
    )
    return ReadPage(width, height, read_lines, warnings=tuple(warnings))
