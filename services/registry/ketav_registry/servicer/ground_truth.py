"""GroundTruthService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import ground_truth_pb2 as pb
from ketav.registry.v1 import ground_truth_pb2_grpc
from ketav_common.context import current_user, require_role, require_work
from ketav_common.identity import Work
from ketav_registry.convert import common
from ketav_registry.convert import ground_truth as convert
from ketav_registry.domain.corrections_quarantine import QuarantineLimits
from ketav_registry.domain.training import FencedRun
from ketav_registry.stores import Stores
from ketav_registry.usecases import ground_truth


class GroundTruthServicer(ground_truth_pb2_grpc.GroundTruthServiceServicer):
    """Imports and exports ground truth."""

    def __init__(self, stores: Stores, limits: QuarantineLimits) -> None:
        """Work with these stores; corrections beyond the limits are quarantined."""
        self._stores = stores
        self._limits = limits

    async def ImportGroundTruth(
        self, request_iterator: AsyncIterator[pb.ImportGroundTruthRequest], context: object
    ) -> pb.ImportGroundTruthResponse:
        """Store an image with lines whose texts are known."""
        user_id = current_user()
        header, chunks = await common.upload(request_iterator)
        page_import = convert.page_import(header)
        result = await ground_truth.import_ground_truth(
            chunks, user_id=user_id, page_import=page_import, stores=self._stores, limits=self._limits
        )
        return convert.import_message(result)

    async def ExportGroundTruth(
        self, request: pb.ExportGroundTruthRequest, context: object
    ) -> AsyncIterator[pb.ExportGroundTruthResponse]:
        """Stream the dataset of a run."""
        require_role("trainer")
        claimed = FencedRun(common.uuid(request.run_id, "run_id"), request.fence)
        require_work(Work(claimed.run_id, claimed.fence))
        async for part in ground_truth.export_ground_truth(claimed, stores=self._stores):
            yield convert.export_part(part)
