"""NextLineService."""

from ketav.registry.v1 import next_lines_pb2 as pb
from ketav.registry.v1 import next_lines_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import next_lines as convert_next_lines
from ketav_registry.database import Database
from ketav_registry.usecases import next_lines


class NextLineServicer(next_lines_pb2_grpc.NextLineServiceServicer):
    """Ranks uncorrected lines."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def ListNextLines(
        self, request: pb.ListNextLinesRequest, context: object
    ) -> pb.ListNextLinesResponse:
        """Return the lines whose correction would teach most."""
        project_id, limit = common.uuid(request.project_id, "project"), common.limit(request.limit, 16, 100)
        found, total = await next_lines.list_next_lines(
            current_user(), project_id, limit, database=self._database
        )
        return convert_next_lines.next_lines(found, total)
