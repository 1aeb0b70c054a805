"""PageService."""

from collections.abc import AsyncIterator
from functools import partial

from ketav.registry.v1 import pages_pb2 as pb
from ketav.registry.v1 import pages_pb2_grpc
from ketav_common.context import current_user
from ketav_common.identity import Signer
from ketav_registry.blobs import BlobStore
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert_erasure
from ketav_registry.convert import pages as convert_pages
from ketav_registry.database import Database
from ketav_registry.usecases import erasure, pages


class PageServicer(pages_pb2_grpc.PageServiceServicer):
    """Stores, reads and deletes pages."""

    def __init__(self, database: Database, blobs: BlobStore, signer: Signer) -> None:
        """Take both stores and the signer of model grants."""
        self._database = database
        self._blobs = blobs
        self._signer = signer

    async def CreatePage(
        self, request_iterator: AsyncIterator[pb.CreatePageRequest], context: object
    ) -> pb.CreatePageResponse:
        """Store an image as a page."""
        user_id = current_user()
        header, chunks = await common.upload(request_iterator)
        new, database, blobs = convert_pages.new_page(header), self._database, self._blobs
        stored = await pages.upload_image(chunks, user_id=user_id, new=new, database=database, blobs=blobs)
        model = common.model(stored.model, self._signer.grant(user_id, stored.model.sha256))
        return pb.CreatePageResponse(page=convert_pages.page(stored.page), model=model)

    async def GetPage(self, request: pb.GetPageRequest, context: object) -> pb.GetPageResponse:
        """Return a page."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        page = await pages.get_page(current_user(), project_id, page_id, database=self._database)
        return pb.GetPageResponse(page=convert_pages.page(page))

    async def DownloadImage(
        self, request: pb.DownloadImageRequest, context: object
    ) -> AsyncIterator[pb.DownloadImageResponse]:
        """Stream a page's image."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        wanted = (current_user(), project_id, page_id, request.model_version)
        async for part in pages.download_image(*wanted, database=self._database, blobs=self._blobs):
            yield convert_pages.image_part(part, partial(self._signer.grant, current_user()))

    async def DeletePage(self, request: pb.DeletePageRequest, context: object) -> pb.DeletePageResponse:
        """Delete a page."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        done = await erasure.delete_page(current_user(), project_id, page_id, database=self._database)
        return pb.DeletePageResponse(erasure=convert_erasure.erasure(done))
