"""CorrectionService."""

from ketav.registry.v1 import corrections_pb2 as pb
from ketav.registry.v1 import corrections_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import corrections as convert_corrections
from ketav_registry.database import Database
from ketav_registry.domain.corrections_quarantine import Limits
from ketav_registry.usecases import corrections


class CorrectionServicer(corrections_pb2_grpc.CorrectionServiceServicer):
    """Stores corrections."""

    def __init__(self, database: Database, limits: Limits) -> None:
        """Take the database and the limits of the quarantine."""
        self._database = database
        self._limits = limits

    async def SubmitCorrections(
        self, request: pb.SubmitCorrectionsRequest, context: object
    ) -> pb.SubmitCorrectionsResponse:
        """Store corrections of a page."""
        saved = await corrections.save_feedback(
            current_user(),
            common.uuid(request.page_id, "page"),
            convert_corrections.correction(request),
            project_id=common.uuid(request.project_id, "project"),
            request=common.request(request.request_id, request.request_sha256),
            database=self._database,
            limits=self._limits,
        )
        return convert_corrections.feedback(saved)
