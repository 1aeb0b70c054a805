"""ModelService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import models_pb2 as pb
from ketav.registry.v1 import models_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.blobs import BlobStore
from ketav_registry.convert import common
from ketav_registry.convert import models as convert
from ketav_registry.convert import models_progress as convert_models_progress
from ketav_registry.database import Database
from ketav_registry.usecases import models, models_progress
from ketav_registry.usecases.models_publish import publish_model


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Model versions: which one serves, and its bytes."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        """Take what the use cases need."""
        self._database = database
        self._blobs = blobs

    async def GetUserModel(self, request: pb.GetUserModelRequest, context: object) -> pb.GetUserModelResponse:
        """Say which model serves the caller."""
        script = common.script(request.script)
        model = await models.get_user_model(current_user(), script, database=self._database)
        return pb.GetUserModelResponse(model=common.model(model))

    async def DownloadModel(
        self, request: pb.DownloadModelRequest, context: object
    ) -> AsyncIterator[pb.DownloadModelResponse]:
        """Stream a model's file: to a recognizer for a user, to a trainer for any."""
        identity = require_role("recognizer", "trainer")
        user_id = identity.user_id if identity.role == "trainer" else current_user()
        digest, stores = common.digest(request.sha256), (self._database, self._blobs)
        async for chunk in models.download_model(user_id, digest, database=stores[0], blobs=stores[1]):
            yield pb.DownloadModelResponse(chunk=chunk)

    async def ListModels(self, request: pb.ListModelsRequest, context: object) -> pb.ListModelsResponse:
        """List the caller's versions and the bases."""
        after, limit = common.after(request.cursor), common.limit(request.limit, 20, 100)
        found, more = await models.list_models(current_user(), after, limit, database=self._database)
        shown = [convert.version(version) for version in found]
        return pb.ListModelsResponse(versions=shown, next_cursor=common.cursor(more))

    async def GetModel(self, request: pb.GetModelRequest, context: object) -> pb.GetModelResponse:
        """Return a version with its lineage and card."""
        found, lineage = await models.get_model(current_user(), request.version, database=self._database)
        return convert.whole(found, lineage)

    async def ActivateModel(
        self, request: pb.ActivateModelRequest, context: object
    ) -> pb.ActivateModelResponse:
        """Make a version the active one."""
        version = await models.activate_model(current_user(), request.version, database=self._database)
        return pb.ActivateModelResponse(version=convert.version(version, card=True))

    async def PublishModel(
        self, request_iterator: AsyncIterator[pb.PublishModelRequest], context: object
    ) -> pb.PublishModelResponse:
        """Store the model of a training run."""
        require_role("trainer")
        header, chunks = await common.upload(request_iterator)
        said, database, blobs = convert.publication(header), self._database, self._blobs
        version = await publish_model(chunks, said, database=database, blobs=blobs)
        return pb.PublishModelResponse(version=convert.version(version))

    async def CheckModels(self, request: pb.CheckModelsRequest, context: object) -> pb.CheckModelsResponse:
        """Say which files may still be used."""
        require_role("recognizer")
        asked = [common.digest(each) for each in request.sha256]
        known = await models.check_models(asked, database=self._database)
        return pb.CheckModelsResponse(sha256=sorted(known))

    async def ListModelProgress(
        self, request: pb.ListModelProgressRequest, context: object
    ) -> pb.ListModelProgressResponse:
        """List the caller's pages with what was misread at first; the first answer adds up versions."""
        script = common.script(request.script) if request.script else None
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 20, 100)
        wanted = (current_user(), script)
        pages, more = await models_progress.list_progress(*wanted, after, limit, database=self._database)
        if after is not None:
            return convert_models_progress.progress(pages, common.cursor(more))
        versions, complete = await models_progress.progress_by_version(*wanted, database=self._database)
        return convert_models_progress.progress(pages, common.cursor(more), versions, complete=complete)
