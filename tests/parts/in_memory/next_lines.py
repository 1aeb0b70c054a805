"""Next lines in memory."""

from typing import Any

from ketav.registry.v1 import next_lines_pb2, next_lines_pb2_grpc
from tests.parts.in_memory.state import State


class NextLines(next_lines_pb2_grpc.NextLineServiceServicer):
    """Lists uncorrected lines, the most uncertain ones first; novelty is not computed."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def ListNextLines(self, request: Any, context: Any) -> Any:
        """List the uncorrected lines of a project."""
        self.state.enter("ListNextLines", request)
        user = self.state.scope(request.project_id)
        user.project(request.project_id)
        lines = [
            next_lines_pb2.NextLine(
                line_id=line.line_id,
                page_id=stored.message.page_id,
                order=line.order,
                text=line.text,
                uncertainty=1 - line.confidence,
                novelty=1.0,
                reason="The model is unsure of its characters.",
            )
            for stored in user.pages_of(request.project_id)
            for line in stored.lines()
            if not line.HasField("corrected_text")
        ]
        lines.sort(key=lambda line: -line.uncertainty)
        return next_lines_pb2.ListNextLinesResponse(lines=lines[: request.limit or 16], candidates=len(lines))
