"""Next lines from protobuf to JSON."""

from ketav.registry.v1 import next_lines_pb2
from ketav_gateway.next_lines import schemas

_SCORE_DIGITS = 5


def _next_line(message: next_lines_pb2.NextLine) -> schemas.NextLine:
    """Return a line with the reasons for its rank."""
    return schemas.NextLine(
        line_id=message.line_id,
        image_id=message.page_id,
        order=message.order,
        text=message.text,
        uncertainty=round(message.uncertainty, _SCORE_DIGITS),
        novelty=round(message.novelty, _SCORE_DIGITS),
        reason=message.reason,
    )


def next_line_list(message: next_lines_pb2.ListNextLinesResponse) -> schemas.NextLineList:
    """Return the lines whose correction improves the model most."""
    return schemas.NextLineList(
        lines=[_next_line(line) for line in message.lines], candidates=message.candidates
    )
