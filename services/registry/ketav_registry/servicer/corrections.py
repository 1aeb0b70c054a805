"""CorrectionService."""

from ketav.registry.v1 import corrections_pb2 as pb
from ketav.registry.v1 import corrections_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import corrections as convert
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.stores import Stores
from ketav_registry.usecases import corrections, corrections_withdrawal


class CorrectionServicer(corrections_pb2_grpc.CorrectionServiceServicer):
    """Stores, withdraws and lists corrections."""

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

    async def WithdrawCorrection(
        self, request: pb.WithdrawCorrectionRequest, context: object
    ) -> pb.WithdrawCorrectionResponse:
        """Withdraw the correction of a line."""
        withdrawal = await corrections_withdrawal.withdraw_correction(
            current_user(),
            common.uuid(request.project_id, "project_id"),
            common.uuid(request.page_id, "image_id"),
            common.uuid(request.line_id, "line_id"),
            stores=self._stores,
        )
        return convert.withdrawal_message(withdrawal)

    async def ListCorrections(
        self, request: pb.ListCorrectionsRequest, context: object
    ) -> pb.ListCorrectionsResponse:
        """List the corrections of a line."""
        history = await corrections_withdrawal.list_corrections(
            current_user(),
            common.uuid(request.project_id, "project_id"),
            common.uuid(request.page_id, "image_id"),
            common.uuid(request.line_id, "line_id"),
            stores=self._stores,
        )
        return pb.ListCorrectionsResponse(corrections=map(convert.stored_message, history))
