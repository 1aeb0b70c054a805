"""PageService."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from uuid import UUID

from ketav.registry.v1 import pages_pb2 as pb
from ketav.registry.v1 import pages_pb2_grpc
from ketav_common.context import current_identity, current_user
from ketav_common.identity import Signer
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert_erasure
from ketav_registry.convert import pages as convert
from ketav_registry.convert.members import ROLES, needed_role
from ketav_registry.stores import Stores
from ketav_registry.usecases import erasure, jobs_claims, pages


class PageServicer(pages_pb2_grpc.PageServiceServicer):
    """Stores, reads and deletes pages."""

    def __init__(self, stores: Stores, signer: Signer) -> None:
        """Work with these stores; the signer issues authorizations to read with a model."""
        self._stores = stores
        self._signer = signer

    async def CreatePage(
        self, request_iterator: AsyncIterator[pb.CreatePageRequest], context: object
    ) -> pb.CreatePageResponse:
        """Store an image as a page."""
        user_id = current_user("recognizer")
        header, chunks = await common.upload(request_iterator)
        new = convert.new_page(header)
        await self._check_claim(user_id, new.project_id)
        stored = await pages.upload_image(chunks, user_id=user_id, new=new, stores=self._stores)
        grant = self._signer.grant(user_id, stored.model.sha256)
        return pb.CreatePageResponse(
            page=convert.page_message(stored.page), model=common.model(stored.model, grant)
        )

    async def ReplaceImage(
        self, request_iterator: AsyncIterator[pb.ReplaceImageRequest], context: object
    ) -> pb.ReplaceImageResponse:
        """Replace the image of a page that has not been read."""
        user_id = current_user("recognizer")
        header, chunks = await common.upload(request_iterator)
        project_id = common.uuid(header.project_id, "project_id") if header.project_id else None
        await self._check_claim(user_id, project_id)
        page = await pages.replace_image(
            chunks,
            user_id=user_id,
            project_id=project_id,
            page_id=common.uuid(header.page_id, "page_id"),
            image=convert.new_image(header.image),
            former_sha256=header.former_sha256,
            stores=self._stores,
        )
        return pb.ReplaceImageResponse(page=convert.page_message(page))

    async def GetPage(self, request: pb.GetPageRequest, context: object) -> pb.GetPageResponse:
        """Return a page."""
        project_id = common.uuid(request.project_id, "project_id")
        page_id = common.uuid(request.page_id, "page_id")
        page, role = await pages.get_page(current_user(), project_id, page_id, stores=self._stores)
        return pb.GetPageResponse(page=convert.page_message(page), role=ROLES[role])

    async def DownloadImage(
        self, request: pb.DownloadImageRequest, context: object
    ) -> AsyncIterator[pb.DownloadImageResponse]:
        """Stream a page's image."""
        user_id = current_user("recognizer")
        project_id = common.uuid(request.project_id, "project_id")
        await self._check_claim(user_id, project_id)
        page_id = common.uuid(request.page_id, "page_id")
        grant = partial(self._signer.grant, user_id)
        needed = needed_role(request.role)
        image = pages.download_image(
            user_id, project_id, page_id, request.model_version, needed=needed, stores=self._stores
        )
        async with aclosing(image) as parts:
            async for part in parts:
                yield convert.image_part(part, grant)
                if request.without_image:
                    break

    async def DeletePage(self, request: pb.DeletePageRequest, context: object) -> pb.DeletePageResponse:
        """Delete the caller's page with its transcriptions and corrections; return what was deleted.

        Models trained on it stop serving, and a run over it is cancelled. NotFound: no such page.
        """
        project_id = common.uuid(request.project_id, "project_id")
        page_id = common.uuid(request.page_id, "page_id")
        done = await erasure.delete_page(current_user(), project_id, page_id, stores=self._stores)
        return pb.DeletePageResponse(erasure=convert_erasure.erasure(done))

    async def _check_claim(self, user_id: UUID, project_id: UUID | None) -> None:
        """Check that a calling worker has claimed a page of the user's job; a user needs no claim.

        Errors: `jobs_claims.require_claim`.
        """
        identity = current_identity()
        if identity.role == "recognizer":
            await jobs_claims.require_claim(
                user_id, identity.work, project_id=project_id, stores=self._stores
            )
