"""GroundTruthService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import ground_truth_pb2 as pb
from ketav.registry.v1 import ground_truth_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.blobs import BlobStore
from ketav_registry.convert import common
from ketav_registry.convert import ground_truth as convert_ground_truth
from ketav_registry.database import Database
from ketav_registry.domain.corrections_quarantine import Limits
from ketav_registry.usecases import ground_truth


class GroundTruthServicer(ground_truth_pb2_grpc.GroundTruthServiceServicer):
    """Imports and exports ground truth."""

    def __init__(self, database: Database, blobs: BlobStore, limits: Limits) -> None:
        """Take both stores and the limits of the quarantine."""
        self._database = database
        self._blobs = blobs
        self._limits = limits

    async def ImportGroundTruth(
        self, request_iterator: AsyncIterator[pb.ImportGroundTruthRequest], context: object
    ) -> pb.ImportGroundTruthResponse:
        """Store an image with lines whose texts are known."""
        user_id = current_user()
        header, chunks = await common.upload(request_iterator)
        known, database, blobs = convert_ground_truth.known_page(header), self._database, self._blobs
        stored = await ground_truth.import_ground_truth(
            chunks, user_id=user_id, known=known, database=database, blobs=blobs, limits=self._limits
        )
        return convert_ground_truth.imported(stored)

    async def ExportGroundTruth(
        self, request: pb.ExportGroundTruthRequest, context: object
    ) -> AsyncIterator[pb.ExportGroundTruthResponse]:
        """Stream the frozen ground truth of a held run."""
        require_role("trainer")
        run_id, fence = common.uuid(request.run_id, "training run"), request.fence
        parts = ground_truth.export_ground_truth(run_id, fence, database=self._database, blobs=self._blobs)
        async for part in parts:
            yield convert_ground_truth.ground_truth_part(part)
