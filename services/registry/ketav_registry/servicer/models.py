"""ModelService."""

from collections.abc import AsyncIterator

from ketav.registry.v1 import models_pb2 as pb
from ketav.registry.v1 import models_pb2_grpc
from ketav_common.context import current_user, require_role, require_work
from ketav_common.identity import Signer, Work
from ketav_registry.convert import common
from ketav_registry.convert import models as convert
from ketav_registry.convert import models_progress as convert_progress
from ketav_registry.stores import Stores
from ketav_registry.usecases import models, models_progress, models_publish, models_versions, training_claims


class ModelServicer(models_pb2_grpc.ModelServiceServicer):
    """Model versions: which one serves, their metadata, files and progress."""

    def __init__(self, stores: Stores, signer: Signer) -> None:
        """Work with these stores; the signer checks the authorizations that it has issued."""
        self._stores = stores
        self._signer = signer

    async def GetUserModel(self, request: pb.GetUserModelRequest, context: object) -> pb.GetUserModelResponse:
        """Return the model that serves the caller."""
        script = common.script(request.script)
        model = await models.get_user_model(current_user(), script, request.hand, stores=self._stores)
        return pb.GetUserModelResponse(model=common.model(model))

    async def DownloadModel(
        self, request: pb.DownloadModelRequest, context: object
    ) -> AsyncIterator[pb.DownloadModelResponse]:
        """Stream a model's file: to a recognizer by the grant for a user, to a trainer for its run."""
        identity = require_role("recognizer", "trainer")
        sha256 = common.digest(request.sha256)
        if identity.role == "trainer":
            user_id = await training_claims.require_owner(identity.work, stores=self._stores)
        else:
            user_id = current_user("recognizer")
            self._signer.check_grant(request.grant, user_id, sha256)
        async for chunk in models.download_model(user_id, sha256, stores=self._stores):
            yield pb.DownloadModelResponse(chunk=chunk)

    async def ListModels(self, request: pb.ListModelsRequest, context: object) -> pb.ListModelsResponse:
        """List the caller's versions and the bases."""
        after = common.position(request.cursor, "models")
        limit = common.limit(request.limit, default=20, maximum=100)
        part = await models_versions.list_models(current_user(), after, limit, stores=self._stores)
        return pb.ListModelsResponse(
            versions=[convert.version_message(version) for version in part.versions],
            next_cursor=common.cursor(part.next_position, "models"),
        )

    async def GetModel(self, request: pb.GetModelRequest, context: object) -> pb.GetModelResponse:
        """Return a version with its lineage and its model card."""
        model = await models_versions.get_model(current_user(), request.version, stores=self._stores)
        return convert.lineage_message(model.version, model.lineage)

    async def ActivateModel(
        self, request: pb.ActivateModelRequest, context: object
    ) -> pb.ActivateModelResponse:
        """Make a version the active one."""
        hand = request.hand if request.HasField("hand") else None
        version = await models_versions.activate_model(
            current_user(),
            request.version,
            hand,
            request=common.request_key(request.request_id, request.request_sha256),
            stores=self._stores,
        )
        return pb.ActivateModelResponse(version=convert.version_message(version, card=True))

    async def PublishModel(
        self, request_iterator: AsyncIterator[pb.PublishModelRequest], context: object
    ) -> pb.PublishModelResponse:
        """Store the model of a training run."""
        require_role("trainer")
        header, chunks = await common.upload(request_iterator)
        publication = convert.publication(header)
        require_work(Work(publication.run_id, publication.fence))
        version = await models_publish.publish_model(chunks, publication, stores=self._stores)
        return pb.PublishModelResponse(version=convert.version_message(version))

    async def CheckModels(self, request: pb.CheckModelsRequest, context: object) -> pb.CheckModelsResponse:
        """Return which files may still be used."""
        require_role("recognizer")
        digests = [common.digest(sha256) for sha256 in request.sha256]
        usable = await models.check_models(digests, stores=self._stores)
        return pb.CheckModelsResponse(sha256=sorted(usable))

    async def ListModelProgress(
        self, request: pb.ListModelProgressRequest, context: object
    ) -> pb.ListModelProgressResponse:
        """List the errors of the first transcriptions of the caller's pages; the first part has totals."""
        hands = common.hand_filter(request.script, request.hand if request.HasField("hand") else None)
        after = common.id_position(request.cursor, "progress")
        limit = common.limit(request.limit, default=20, maximum=100)
        progress = await models_progress.list_model_progress(
            current_user(), hands, after, limit, stores=self._stores
        )
        return pb.ListModelProgressResponse(
            pages=[convert_progress.page_message(page) for page in progress.pages],
            next_cursor=common.cursor(progress.next_position, "progress"),
            versions=[convert_progress.version_message(version) for version in progress.versions],
            versions_complete=progress.versions_complete,
        )
