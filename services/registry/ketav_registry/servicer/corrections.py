"""CorrectionService."""

from ketav.registry.v1 import corrections_pb2 as pb
from ketav.registry.v1 import corrections_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import corrections as convert
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.stores import Stores
from ketav_registry.usecases import corrections


class CorrectionServicer(corrections_pb2_grpc.CorrectionServiceServicer):
    """Stores corrections."""

    def __init__(self, stores: Stores, limits: QuarantineLimits) -> None:
        """Work with these stores; corrections beyond the limits are quarantined."""
        self._stores = stores
        self._limits = limits

    async def SubmitCorrections(
        self, request: pb.SubmitCorrectionsRequest, context: object
    ) -> pb.SubmitCorrectionsResponse:
        """Store corrections of a page."""
        feedback = await corrections.save_feedback(
            current_user(),
            common.uuid(request.page_id, "image_id"),
            convert.submitted(request),
            project_id=common.uuid(request.project_id, "project_id"),
            request=common.request_key(request.request_id, request.request_sha256),
            stores=self._stores,
            limits=self._limits,
        )
        return convert.feedback_message(feedback)
