"""Conversion of ranked lines."""

from ketav.registry.v1 import next_lines_pb2
from ketav_registry.domain.next_lines import NextLine


def next_line_message(ranked: NextLine) -> next_lines_pb2.NextLine:
    """Return the message of a ranked line."""
    return next_lines_pb2.NextLine(
        line_id=str(ranked.line.line_id),
        page_id=str(ranked.line.page_id),
        order=ranked.line.order,
        text=ranked.line.text,
        uncertainty=ranked.uncertainty,
        novelty=ranked.novelty,
        reason=ranked.reason,
    )
