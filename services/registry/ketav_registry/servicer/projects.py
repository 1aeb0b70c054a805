"""ProjectService."""

from collections.abc import AsyncIterator
from functools import partial

from ketav.registry.v1 import projects_pb2 as pb
from ketav.registry.v1 import projects_pb2_grpc
from ketav_common.context import current_user
from ketav_common.identity import Signer
from ketav_registry.blobs import BlobStore
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert_erasure
from ketav_registry.convert import pages as convert
from ketav_registry.database import Database
from ketav_registry.domain.quarantine import Limits
from ketav_registry.usecases import corrections, erasure, importing, projects


class ProjectServicer(projects_pb2_grpc.ProjectServiceServicer):
    """Projects, pages, transcriptions and corrections."""

    def __init__(self, database: Database, blobs: BlobStore, limits: Limits, signer: Signer) -> None:
        """Take what the use cases need, and who signs which models may be read with."""
        self._signer = signer
        self._database = database
        self._blobs = blobs
        self._limits = limits

    async def CreatePage(
        self, request_iterator: AsyncIterator[pb.CreatePageRequest], context: object
    ) -> pb.CreatePageResponse:
        """Store an image as a page."""
        user_id = current_user()
        header, chunks = await common.upload(request_iterator)
        new, database, blobs = convert.new_page(header), self._database, self._blobs
        stored = await projects.upload_image(chunks, user_id=user_id, new=new, database=database, blobs=blobs)
        model = common.model(stored.model, self._signer.grant(user_id, stored.model.sha256))
        return pb.CreatePageResponse(page=convert.page(stored.page), model=model)

    async def RecordTranscription(
        self, request: pb.RecordTranscriptionRequest, context: object
    ) -> pb.RecordTranscriptionResponse:
        """Record what a model read."""
        user_id, page_id = current_user(), common.uuid(request.page_id, "page")
        lines = [convert.line(line) for line in request.lines]
        stored = await projects.record_transcription(
            user_id, page_id, request.model_version, lines, database=self._database
        )
        return pb.RecordTranscriptionResponse(transcription=convert.transcription(stored))

    async def ImportGroundTruth(
        self, request_iterator: AsyncIterator[pb.ImportGroundTruthRequest], context: object
    ) -> pb.ImportGroundTruthResponse:
        """Store an image with lines whose texts are known."""
        user_id = current_user()
        header, chunks = await common.upload(request_iterator)
        known, database, blobs = convert.known_page(header), self._database, self._blobs
        stored = await importing.import_ground_truth(
            chunks, user_id=user_id, known=known, database=database, blobs=blobs, limits=self._limits
        )
        return convert.imported(stored)

    async def SubmitCorrections(
        self, request: pb.SubmitCorrectionsRequest, context: object
    ) -> pb.SubmitCorrectionsResponse:
        """Store corrections of a page."""
        saved = await corrections.save_feedback(
            current_user(),
            common.uuid(request.page_id, "page"),
            convert.correction(request),
            project_id=common.uuid(request.project_id, "project"),
            request=common.request(request.request_id, request.request_sha256),
            database=self._database,
            limits=self._limits,
        )
        return convert.feedback(saved)

    async def ListProjects(self, request: pb.ListProjectsRequest, context: object) -> pb.ListProjectsResponse:
        """List the caller's projects."""
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 20, 100)
        found, more = await projects.list_projects(current_user(), after, limit, database=self._database)
        shown = [convert.project(project) for project in found]
        return pb.ListProjectsResponse(projects=shown, next_cursor=common.cursor(more))

    async def GetProject(
        self, request: pb.GetProjectRequest, context: object
    ) -> AsyncIterator[pb.GetProjectResponse]:
        """Stream a project and its pages."""
        user_id, project_id = current_user(), common.uuid(request.project_id, "project")
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 100, 500)
        parts = projects.get_project(user_id, project_id, after, limit, database=self._database)
        async for part in parts:
            yield convert.project_part(part)

    async def GetPage(self, request: pb.GetPageRequest, context: object) -> pb.GetPageResponse:
        """Return a page."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        page = await projects.get_page(current_user(), project_id, page_id, database=self._database)
        return pb.GetPageResponse(page=convert.page(page))

    async def DownloadImage(
        self, request: pb.DownloadImageRequest, context: object
    ) -> AsyncIterator[pb.DownloadImageResponse]:
        """Stream a page's image."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        wanted = (current_user(), project_id, page_id, request.model_version)
        async for part in projects.download_image(*wanted, database=self._database, blobs=self._blobs):
            yield convert.image_part(part, partial(self._signer.grant, current_user()))

    async def DeletePage(self, request: pb.DeletePageRequest, context: object) -> pb.DeletePageResponse:
        """Delete a page."""
        project_id, page_id = common.uuid(request.project_id, "project"), common.uuid(request.page_id, "page")
        done = await erasure.delete_page(current_user(), project_id, page_id, database=self._database)
        return pb.DeletePageResponse(erasure=convert_erasure.erasure(done))

    async def DeleteProject(
        self, request: pb.DeleteProjectRequest, context: object
    ) -> pb.DeleteProjectResponse:
        """Delete a project."""
        project_id = common.uuid(request.project_id, "project")
        done = await erasure.delete_project(current_user(), project_id, database=self._database)
        return pb.DeleteProjectResponse(erasure=convert_erasure.erasure(done))
