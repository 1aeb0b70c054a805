"""NextLineService."""

from ketav.registry.v1 import next_lines_pb2 as pb
from ketav.registry.v1 import next_lines_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import next_lines as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import next_lines


class NextLineServicer(next_lines_pb2_grpc.NextLineServiceServicer):
    """Ranks uncorrected lines."""

    def __init__(self, stores: Stores) -> None:
        """Work with these stores."""
        self._stores = stores

    async def ListNextLines(
        self, request: pb.ListNextLinesRequest, context: object
    ) -> pb.ListNextLinesResponse:
        """Return the lines of a project whose correction improves the model most."""
        project_id = common.uuid(request.project_id, "project_id")
        limit = common.limit(request.limit, default=16, maximum=100)
        ranked = await next_lines.list_next_lines(current_user(), project_id, limit, stores=self._stores)
        return pb.ListNextLinesResponse(
            lines=[convert.next_line_message(line) for line in ranked.lines],
            candidates=ranked.uncorrected_lines,
        )
