"""Ranked lines on the wire."""

from collections.abc import Sequence

from ketav.registry.v1 import next_lines_pb2
from ketav_registry.domain.next_lines import NextLine


def next_lines(found: Sequence[NextLine], candidates: int) -> next_lines_pb2.ListNextLinesResponse:
    """Write the lines worth correcting."""
    return next_lines_pb2.ListNextLinesResponse(
        lines=[_next_line(each) for each in found], candidates=candidates
    )


def _next_line(found: NextLine) -> next_lines_pb2.NextLine:
    """Write a line worth correcting."""
    return next_lines_pb2.NextLine(
        line_id=str(found.line.line_id),
        page_id=str(found.line.page_id),
        order=found.line.order,
        text=found.line.text,
        uncertainty=found.uncertainty,
        novelty=found.novelty,
        reason=found.reason,
    )
